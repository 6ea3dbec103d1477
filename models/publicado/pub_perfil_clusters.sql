{{ publica('perfil_clusters') }}
