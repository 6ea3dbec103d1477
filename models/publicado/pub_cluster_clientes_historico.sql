{{ publica('cluster_clientes_historico') }}
