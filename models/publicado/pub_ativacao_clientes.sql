{{ publica('ativacao_clientes') }}
