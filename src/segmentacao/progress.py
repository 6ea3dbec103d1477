"""Progress lines that reach the console and the JSON logs alike."""

from collections.abc import Callable


def logger() -> Callable[[str], None]:
    """Return the function that long work reports its progress with.

    Inside a dbt run this is dbt's own event stream, because ``print`` breaks
    the JSON log format; anywhere else it is the ``segmentacao`` logger of the
    standard library.

    Returns
    -------
    Callable[[str], None]
        Takes one line of text.
    """
    try:
        from dbt.adapters.events.logging import AdapterLogger
    except ImportError:
        import logging

        return logging.getLogger("segmentacao").info
    return AdapterLogger("segmentacao").info
