{{ publica('insiders_relatorio') }}
