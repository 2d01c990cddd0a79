"""The ways to restart an instance."""


def marker(instance, proxy):
    """Marked, out, nothing under way, killed, started, unmarked, in. It is killed, so that nothing but the marker saves
    a request."""
    instance.mark()
    proxy.await_out(instance.port)
    proxy.await_idle(instance.port)
    instance.kill()
    instance.start()
    instance.await_answers()
    instance.unmark()
    proxy.await_in(instance.port)


def sigterm(instance, proxy):
    """Told to stop by SIGTERM, gone, started, in."""
    instance.terminate()
    proxy.await_out(instance.port)
    instance.start()
    proxy.await_in(instance.port)


def kill(instance, proxy):
    """Killed without a word."""
    instance.kill()
    proxy.await_out(instance.port)
    instance.start()
    proxy.await_in(instance.port)


def marker_not_waited_for(instance, proxy):
    """Marked and killed at once: what the marker is worth without the wait."""
    instance.mark()
    instance.kill()
    proxy.await_out(instance.port)
    instance.start()
    instance.await_answers()
    instance.unmark()
    proxy.await_in(instance.port)
