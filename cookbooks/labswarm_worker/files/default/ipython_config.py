c.HistoryManager.hist_file = "/tmp/ipython-history.sqlite"  # type: ignore[name-defined]  # noqa: F821, S108  # given by IPython
