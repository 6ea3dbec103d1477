{{ publica('migracao_clusters') }}
