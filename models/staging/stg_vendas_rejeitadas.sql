with

vendas as (

    select * from {{ ref('base_vendas_motivo') }}
    where motivo is not null

),

final as (

    select
        motivo,
        id_cliente,
        data_venda,
        valor_venda,
        {% for campo in [
            'id_cliente', 'data_venda', 'valor_venda', 'quantidade',
            'preco_unitario', 'id_venda', 'id_linha', 'id_produto',
            'categoria', 'moeda', 'pais'
        ] -%}
        cast({{ campo }}_origem as {{ dbt.type_string() }}) as {{ campo }}_origem
        {%- if not loop.last %},{% endif %}
        {% endfor %}
    from vendas

)

select * from final
