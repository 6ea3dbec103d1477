{#
  Impossible settings stop the run at its start, with parameter, value and
  allowed range. Called by on-run-start.
#}

{% macro checa_config() -%}
    {%- if execute -%}
        {%- for nome, opcoes in {
            'formato_numero': ['padrao', 'brasileiro'],
            'cliente_ausente': ['recusar', 'anonimo_por_venda'],
            'linhas_duplicadas': ['recusar', 'manter'],
            'base_valor': ['liquido', 'bruto'],
            'rastreio': ['ligado', 'desligado', 'obrigatorio'],
        }.items() -%}
            {{ _checa_opcao(nome, opcoes) }}
        {%- endfor -%}
        {%- for nome, faixa in {
            'janela_meses': [1, 120],
            'retrotestes_max': [0, 60],
            'categorias_max': [1, 60],
            'rfv_k_min': [2, 10],
            'rfv_k_max': [2, 10],
            'categoria_k_min': [2, 10],
            'categoria_k_max': [2, 10],
            'n_init': [1, 1000],
            'semente': [0, 4294967295],
            'silhueta_exata_max': [100, 100000],
            'ajuste_max': [100, 10000000],
            'bootstrap_sorteios': [2, 1000],
            'permutacoes': [19, 10000],
            'estabilidade_max': [100, 20000],
            'participacao_minima': [0, 0.5],
            'clientes_minimos': [1, 1000000000],
            'tolerancia_silhueta': [0, 1],
            'ari_minimo': [-1, 1],
            'p_maximo': [0, 1],
            'churn_inicial_minimo': [0, 1],
            'lider_participacao': [0, 1],
            'lider_relativo': [0, 1],
        }.items() -%}
            {{ _checa_faixa(nome, faixa[0], faixa[1]) }}
        {%- endfor -%}
        {%- for passo in ['rfv', 'categoria'] -%}
            {{ _checa_k(passo) }}
        {%- endfor -%}
        {{ _checa_data('dt_ref') }}
        {{ _checa_data('data_minima') }}
        {{ _checa_fuso('fuso') }}
        {{ _checa_fuso('fuso_origem') }}
        {{ _checa_colunas() }}
        {{ _checa_transformacoes() }}
        {{ _checa_lista(
            'faixas_no_ajuste', ['ativo', 'compra_unica', 'sem_categoria']
        ) }}
        {{ _checa_vida_do_modelo() }}
        {{ _checa_insiders() }}
    {%- endif -%}
{%- endmacro %}

{% macro _recusa(nome, valor, permitido) -%}
    {{ exceptions.raise_compiler_error(
        "Var " ~ nome ~ " is " ~ valor ~ ", allowed: " ~ permitido ~ "."
    ) }}
{%- endmacro %}

{% macro _checa_opcao(nome, opcoes) -%}
    {%- if var(nome) not in opcoes -%}
        {{ _recusa(nome, "'" ~ var(nome) ~ "'", opcoes | join(' or ')) }}
    {%- endif -%}
{%- endmacro %}

{% macro _checa_faixa(nome, menor, maior) -%}
    {%- set valor = var(nome) -%}
    {%- if valor is not number or valor is boolean
        or valor < menor or valor > maior -%}
        {{ _recusa(nome, valor, menor ~ " to " ~ maior) }}
    {%- endif -%}
    {%- if menor is integer and maior is integer and maior > 1
        and valor is not integer -%}
        {{ _recusa(nome, valor, "a whole number, " ~ menor ~ " to " ~ maior) }}
    {%- endif -%}
{%- endmacro %}

{% macro _checa_k(passo) -%}
    {%- set menor, maior = var(passo ~ '_k_min'), var(passo ~ '_k_max') -%}
    {%- if menor > maior -%}
        {{ _recusa(passo ~ '_k_min', menor, "at most " ~ passo ~ "_k_max, " ~ maior) }}
    {%- endif -%}
    {%- set fixo = var(passo ~ '_k_fixo') -%}
    {%- if fixo is not none and (
        fixo is not integer or fixo < 2 or fixo > maior
    ) -%}
        {{ _recusa(
            passo ~ '_k_fixo', fixo, "null, or 2 to " ~ passo ~ "_k_max, " ~ maior
        ) }}
    {%- endif -%}
{%- endmacro %}

{% macro _checa_data(nome) -%}
    {%- set texto = var(nome) | string -%}
    {%- if var(nome) is not none and not _e_data(texto) -%}
        {{ _recusa(nome, "'" ~ texto ~ "'", "null, or a date yyyy-mm-dd") }}
    {%- endif -%}
{%- endmacro %}

{% macro _e_data(texto) -%}
    {%- set mes_certo = '^[0-9]{4}-(0[1-9]|1[0-2])-[0-9]{2}$' -%}
    {%- if not modules.re.match(mes_certo, texto) -%}
        {{ return(false) }}
    {%- endif -%}
    {%- set ano, mes, dia = texto[:4] | int, texto[5:7] | int, texto[8:] | int -%}
    {#- a date from its month's first day stays in the month, or is none -#}
    {%- set data = modules.datetime.date(ano, mes, 1)
        + modules.datetime.timedelta(days=dia - 1) -%}
    {{ return(data.month == mes) }}
{%- endmacro %}

{% macro _checa_fuso(nome) -%}
    {%- if var(nome) is not none
        and var(nome) not in modules.pytz.all_timezones_set -%}
        {{ _recusa(
            nome, "'" ~ var(nome) ~ "'", "a time zone name such as America/Sao_Paulo"
        ) }}
    {%- endif -%}
{%- endmacro %}

{% macro _checa_lista(nome, opcoes) -%}
    {%- if var(nome) is string or not var(nome) -%}
        {{ _recusa(nome, var(nome), "a list of " ~ opcoes | join(', ')) }}
    {%- endif -%}
    {%- for item in var(nome) if item not in opcoes -%}
        {{ _recusa(nome, "[" ~ item ~ "]", "a list of " ~ opcoes | join(', ')) }}
    {%- endfor -%}
{%- endmacro %}

{% macro _checa_colunas() -%}
    {%- set conhecidas = [
        'id_cliente', 'data_venda', 'valor_venda', 'quantidade',
        'preco_unitario', 'id_venda', 'id_linha', 'id_produto',
        'categoria_produto', 'moeda', 'pais',
    ] -%}
    {%- for campo in var('colunas_vendas') if campo not in conhecidas -%}
        {{ _recusa('colunas_vendas', campo, conhecidas | join(', ')) }}
    {%- endfor -%}
    {%- for campo in ['id_cliente', 'data_venda']
        if not tem_coluna('vendas', campo) -%}
        {{ _recusa('colunas_vendas', 'without ' ~ campo, campo ~ ' is required') }}
    {%- endfor -%}
    {%- if not tem_coluna('vendas', 'valor_venda') and not (
        tem_coluna('vendas', 'quantidade')
        and tem_coluna('vendas', 'preco_unitario')
    ) -%}
        {{ _recusa(
            'colunas_vendas', 'without a value',
            'valor_venda, or quantidade and preco_unitario'
        ) }}
    {%- endif -%}
    {%- if var('cliente_ausente') == 'anonimo_por_venda'
        and not tem_coluna('vendas', 'id_venda') -%}
        {{ _recusa(
            'cliente_ausente', "'anonimo_por_venda' without id_venda",
            'recusar, or map id_venda in colunas_vendas'
        ) }}
    {%- endif -%}
{%- endmacro %}

{% macro _checa_transformacoes() -%}
    {%- for variavel in variaveis_rfv() -%}
        {%- set valor = var('rfv_transformacoes').get(variavel) -%}
        {%- if valor not in ['nenhuma', 'log1p'] -%}
            {{ _recusa(
                'rfv_transformacoes.' ~ variavel, "'" ~ valor ~ "'", 'nenhuma or log1p'
            ) }}
        {%- endif -%}
    {%- endfor -%}
{%- endmacro %}

{% macro _checa_vida_do_modelo() -%}
    {{ _checa_faixa('jaccard_minimo', 0, 1) }}
    {{ _checa_faixa('deriva_clientes_minimos', 1, 1000000000) }}
    {%- set fixados = var('modelo_em_vigor') -%}
    {%- if fixados is not none and fixados is not mapping -%}
        {{ _recusa(
            'modelo_em_vigor', "'" ~ fixados ~ "'",
            'null, or a mapping with the keys rfv and categoria'
        ) }}
    {%- endif -%}
    {%- for passo in fixados or {} if passo not in ['rfv', 'categoria'] -%}
        {{ _recusa('modelo_em_vigor', 'for ' ~ passo, 'the keys rfv and categoria') }}
    {%- endfor -%}
    {%- for medida in ['psi', 'centro', 'silhueta', 'distancia'] -%}
        {%- set limites = var('deriva_limites').get(medida) -%}
        {%- if limites is string or limites is not sequence
            or limites | length != 2 or limites | reject('number') | list
            or limites[0] > limites[1] -%}
            {{ _recusa(
                'deriva_limites.' ~ medida, limites,
                'two numbers, the first at most the second'
            ) }}
        {%- endif -%}
    {%- endfor -%}
    {{ checa_se_ha_modelo() }}
{%- endmacro %}


{% macro checa_moeda_unica() -%}
    {%- if execute and tem_coluna('vendas', 'moeda') and not var('moeda') -%}
        {%- set moedas = run_query(
            'select distinct moeda from ' ~ this ~ ' order by 1'
        ).columns[0].values() -%}
        {%- if moedas | length > 1 -%}
            {{ exceptions.raise_compiler_error(
                "vendas holds " ~ moedas | length ~ " currencies ("
                ~ moedas | join(', ') ~ "), which cannot be added up. Set the var "
                ~ "moeda to the one to keep; lines in the others are then refused."
            ) }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
