"""The studio: a page to make pictures in and an HTTP API beside it, both over the jobs of :mod:`impasto.jobs`.

Nothing here computes a picture. The server takes uploads in, asks the jobs for what it is asked for, and hands out
previews and results, so closing a tab or killing the server costs nothing that the jobs know.
"""
