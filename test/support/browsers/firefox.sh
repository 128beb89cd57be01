#!/bin/sh
# Playwright asks Firefox to exit when a tab crashes. Users have a Firefox that goes on.
unset MOZ_CRASHREPORTER_SHUTDOWN
exec /usr/bin/firefox-esr "$@"
