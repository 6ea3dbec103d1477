{{ publica('cluster_clientes') }}
