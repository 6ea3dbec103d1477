{{ publica('qualidade_vendas') }}
