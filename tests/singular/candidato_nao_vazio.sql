-- An export failed on a Sunday and left an empty file; the build was green and
-- every customer lost the segment. An empty candidate is not published.

select count(*) as clientes
from {{ ref('cluster_clientes__candidato') }}
having count(*) = 0
