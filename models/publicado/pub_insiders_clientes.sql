{{ publica('insiders_clientes') }}
