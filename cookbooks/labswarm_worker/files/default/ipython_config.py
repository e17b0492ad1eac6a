c.HistoryManager.hist_file = "/tmp/ipython-history.sqlite"  # noqa: F821, S108  # given by IPython
