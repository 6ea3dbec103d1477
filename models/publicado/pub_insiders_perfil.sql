{{ publica('insiders_perfil') }}
