{{ publica('monitor_deriva') }}
