-- The shop's own fact table, with the shop's own names.

select
    'CLI-' || id_cliente as customer_code,
    try_cast(data_venda as date) as ordered_on,
    id_venda as order_no,
    categoria_produto as department,
    try_cast(quantidade as integer) as qty,
    try_cast(quantidade as integer) * try_cast(preco_unitario as double)
        as net_amount
from read_csv('{{ env_var("AMOSTRA") }}', all_varchar = true)
where id_produto not in ('FRETE', 'AJUSTE')
