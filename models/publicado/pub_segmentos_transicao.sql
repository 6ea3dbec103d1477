{{ publica('segmentos_transicao') }}
