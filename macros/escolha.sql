{#
  The choice of k in words, for the column motivo of ml_escolha_k.
#}

{% macro motivo_da_escolha() -%}
    case
        when medidas.k_fixo is not null and medidas.k = medidas.k_fixo
            then 'fixado por ' || medidas.passo || '_k_fixo'
        when medidas.k_fixo is not null
            then 'outro k foi fixado por ' || medidas.passo || '_k_fixo'
        when vencedores.k_da_regra is null and medidas.k = vencedores.k_equilibrado
            then 'ATENCAO: nenhum k e admissivel; este tem o maior dos menores'
                || ' grupos ({{ _em_texto("medidas.menor_cluster") }} clientes)'
        when not medidas.is_na_faixa
            then 'fora da faixa de ' || medidas.passo || '_k_min a '
                || medidas.passo || '_k_max'
        when not medidas.is_admissivel
            then 'menor grupo com {{ _em_texto("medidas.menor_cluster") }} clientes'
                || ' ({{ _em_texto("round(cast(100 * medidas.participacao_menor as decimal(18, 6)), 1)") }} %),'
                || ' abaixo do minimo'
        when medidas.k = vencedores.k_da_regra and medidas.k = vencedores.k_melhor
            then 'maior silhueta entre os admissiveis'
        when medidas.k = vencedores.k_da_regra
            then 'silhueta empatada com a de k = {{ _em_texto("vencedores.k_melhor") }};'
                || ' vale o menor k'
        when medidas.k = vencedores.k_melhor
            then 'maior silhueta, mas empatada com a de um k menor'
        else 'silhueta menor'
    end
{%- endmacro %}


{% macro _em_texto(expressao) -%}
    ' || cast({{ expressao }} as {{ dbt.type_string() }}) || '
{%- endmacro %}
