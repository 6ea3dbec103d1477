{#
  The Insiders programme: its choice in words, its draws and its dates.
#}

{% macro motivo_dos_insiders() -%}
    {#- Why a way of grouping was chosen or not, for ml_insiders_escolha. -#}
    case
        when lugar = 1 and is_pedida and not is_admissivel
            then 'ATENCAO: nenhuma opcao e admissivel; esta e a mais proxima'
        when lugar = 1 and is_pedida and silhueta_comum = melhor_silhueta
            then 'maior silhueta no espaco comum entre as admissiveis'
        when lugar = 1 and is_pedida
            then 'silhueta no espaco comum empatada com a maior; vale o menor k'
        when not is_pedida then 'outra foi pedida por var'
        when not is_grupos_utilizaveis then 'grupo pequeno demais, ou ruido'
        when not is_programa
            then 'grupo do topo fora do tamanho de um programa'
        when not is_na_faixa
            then 'fora da faixa de insiders_k_min a insiders_k_max'
        else 'silhueta menor no espaco comum, ou empate com k maior'
    end
{%- endmacro %}


{% macro fracao_do_texto(expressao) -%}
    {#-
      A number in [0, 1) that depends on the text alone: the same customer gets
      the same number on every engine and on every day.

      Example: fracao_do_texto("id_cliente || ':controle'") < 0.1
    -#}
    (
        {%- for posicao in range(1, 8) %}
        (strpos('0123456789abcdef', substr({{ dbt.hash(expressao) }}, {{ posicao }}, 1)) - 1)
        / {{ 16.0 ** posicao }}
        {%- if not loop.last %} + {% endif %}
        {%- endfor %}
    )
{%- endmacro %}


{% macro variaveis_da_regra() -%}
    {#- Features that the entry rule may name, all of them plain business. -#}
    {{ return([
        'recencia_dias', 'frequencia', 'valor', 'itens', 'produtos_distintos',
        'ticket_medio',
    ]) }}
{%- endmacro %}


{% macro valor_da_condicao(cliente, condicao) -%}
    {#- The customer's value of the feature that a condition names. -#}
    case {{ condicao }}.variavel
        {%- for variavel in variaveis_da_regra() %}
        when '{{ variavel }}' then cast({{ cliente }}.{{ variavel }} as {{ tipo_real() }})
        {%- endfor %}
    end
{%- endmacro %}


{% macro situacao_no_programa() -%}
    {#-
      What the rule says about a customer at this date. Coming in takes one date
      with the rule, leaving takes several without it: who hovers about a limit
      does not come and go.
    -#}
    case
        when is_regra and is_regra_anterior is null then 'cumpre'
        when is_regra and is_regra_anterior then 'permanece'
        when is_regra then 'entra'
        when datas_em_falha is null then 'fora'
        when datas_em_falha >= {{ var('insiders_saida_datas') }} then 'sai'
        else 'em_observacao'
    end
{%- endmacro %}


{% macro item_do_relatorio(pergunta, ordem, medida, unidade, tabela, de) -%}
    {#- One row of insiders_relatorio for each group of a wide table. -#}
    select
        dt_ref,
        {{ pergunta }} as pergunta,
        {{ ordem }} as ordem,
        '{{ medida }}' as medida,
        grupo,
        cast({{ medida }} as {{ tipo_real() }}) as valor,
        clientes as n,
        '{{ unidade }}' as unidade,
        '{{ tabela }}' as tabela
    from {{ de }}
{%- endmacro %}


{% macro unidade_da_evidencia(medida) -%}
    {#- What a measure of ml_insiders_evidencias is counted in. -#}
    case
        when {{ medida }} in (
            'participacao_receita_seguinte', 'taxa_de_recompra', 'efeito',
            'p_valor', 'cobertura_do_intervalo', 'erro_reteste_modelo',
            'erro_reteste_ritmo'
        ) then 'fracao'
        when {{ medida }} = 'fator_de_correcao' then 'fator'
        else 'moeda'
    end
{%- endmacro %}


{% macro placebo(cliente) -%}
    {#- An order by lot that depends on the customer and the seed alone. -#}
    {{ dbt.hash(cliente ~ " || ':placebo:" ~ var('semente') ~ "'") }}
{%- endmacro %}


{% macro _checa_insiders() -%}
    {#- Called by checa_config. -#}
    {{ _checa_opcao('insiders_ativo', [true, false]) }}
    {{ _checa_opcao('insiders_umap', [true, false]) }}
    {%- for nome, faixa in {
        'insiders_k_comparado': [2, 30],
        'insiders_k_min': [2, 30],
        'insiders_k_max': [2, 30],
        'insiders_participacao_minima': [0, 1],
        'insiders_participacao_maxima': [0, 1],
        'insiders_n_init': [1, 1000],
        'insiders_sorteios': [0, 1000],
        'insiders_estabilidade_max': [100, 20000],
        'insiders_amostra_max': [100, 20000],
        'insiders_regra_profundidade': [1, 5],
        'insiders_regra_minima': [0, 1],
        'insiders_quase_maximo': [0, 1],
        'insiders_saida_datas': [1, 12],
        'insiders_controle_participacao': [0, 1],
        'insiders_sorteios_evidencia': [100, 100000],
    }.items() -%}
        {{ _checa_faixa(nome, faixa[0], faixa[1]) }}
    {%- endfor -%}
    {%- if var('insiders_janela_meses') is not none -%}
        {{ _checa_faixa('insiders_janela_meses', 1, 120) }}
    {%- endif -%}
    {%- for nome, opcoes in {
        'insiders_espaco': [
            none, 'rfv_log', 'comportamento_minmax', 'comportamento_log', 'pca',
            'folhas', 'folhas_umap',
        ],
        'insiders_algoritmo': [none, 'kmeans', 'mistura', 'hierarquico', 'dbscan'],
    }.items() -%}
        {{ _checa_opcao(nome, opcoes) }}
    {%- endfor -%}
    {{ _checa_em_ordem(
        ['insiders_k_min', 'insiders_k_max', 'insiders_k_comparado']
    ) }}
    {{ _checa_em_ordem(
        ['insiders_participacao_minima', 'insiders_participacao_maxima']
    ) }}
    {%- set fixo, maior = var('insiders_k_fixo'), var('insiders_k_comparado') -%}
    {%- if fixo is not none and (
        fixo is not integer or fixo < 2 or fixo > maior
    ) -%}
        {{ _recusa(
            'insiders_k_fixo', fixo, "null, or 2 to insiders_k_comparado, " ~ maior
        ) }}
    {%- endif -%}
    {%- set sal = var('insiders_controle_sal') | string -%}
    {%- if not modules.re.match('^[A-Za-z0-9_-]+$', sal) -%}
        {{ _recusa(
            'insiders_controle_sal', "'" ~ sal ~ "'", "letters, digits, _ and -"
        ) }}
    {%- endif -%}
{%- endmacro %}


{% macro _checa_em_ordem(nomes) -%}
    {%- for nome in nomes[:-1] -%}
        {%- set proximo = nomes[loop.index] -%}
        {%- if var(nome) > var(proximo) -%}
            {{ _recusa(
                nome, var(nome), "at most " ~ proximo ~ ", " ~ var(proximo)
            ) }}
        {%- endif -%}
    {%- endfor -%}
{%- endmacro %}
