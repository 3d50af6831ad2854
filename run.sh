#!/bin/sh
# The way in to everything: finds a Python that serves, and hands over to it by exec.
# Python makes .venv whole where it is not (environment.py) and then becomes the launcher,
# so that one process, this one, is all that a signal has to reach.
set -eu

say() {
    printf 'run.sh: %s\n' "$*" >&2
}

# The folder of this file, also when it is called through links or from another folder.
self=$0
while [ -h "$self" ]; do
    target=$(readlink "$self")
    case $target in
    /*) self=$target ;;
    *) self=$(dirname "$self")/$target ;;
    esac
done
root=$(CDPATH='' cd "$(dirname "$self")" && pwd -P)
project=$root/solution/launcher/pyproject.toml
environment=$root/solution/launcher/movie_launcher/environment.py

# Both would lead this Python and its children to other packages than the locked ones.
unset PYTHONHOME PYTHONPATH
# An empty HOME is the root folder to whoever asks for ~; without HOME, the account's is taken.
[ -n "${HOME:-}" ] || unset HOME

# The versions that serve are those that the launcher allows: the lock file has wheels for no others.
oldest=$(sed -n 's/^requires-python = ">=3\.\([0-9]*\),<3\.[0-9]*"$/\1/p' "$project")
newest=$(($(sed -n 's/^requires-python = ">=3\.[0-9]*,<3\.\([0-9]*\)"$/\1/p' "$project") - 1))

# Prints 3.<minor>, and what it lacks to make a virtual environment or to be served by wheels.
# Also runs under Python 2 and under a version manager's stub that fails: then it prints nothing.
probe() {
    "$1" -c '
import sys
version = "%d.%d" % sys.version_info[:2]
lacks = ""
for name in "venv", "ensurepip", "ssl":
    try:
        __import__(name)
    except ImportError:
        lacks = lacks or name
if "cpython" not in str(getattr(sys, "implementation", "cpython")).lower():
    lacks = "CPython"
if not getattr(sys, "_is_gil_enabled", lambda: True)():
    lacks = "GIL"
print(version + " " + lacks)
' 2>/dev/null || :
}

candidates="python3"
minor=$newest
while [ "$minor" -ge "$oldest" ]; do
    candidates="$candidates python3.$minor"
    minor=$((minor - 1))
done

too_old='' too_new='' lacking='' lacking_version='' lacking_part=''
for candidate in "$root/.venv/bin/python" $candidates; do
    command -v "$candidate" >/dev/null 2>&1 || continue
    found=$(probe "$candidate")
    version=${found%% *}
    part=${found#* }
    case $version in
    3.*) ;;
    *) continue ;;
    esac
    if [ "${version#3.}" -lt "$oldest" ]; then
        too_old=${too_old:-$version}
    elif [ "${version#3.}" -gt "$newest" ]; then
        too_new=${too_new:-$version}
    elif [ -n "$part" ] && [ "$candidate" != "$root/.venv/bin/python" ]; then
        lacking=${lacking:-$candidate} lacking_version=${lacking_version:-$version}
        lacking_part=${lacking_part:-$part}
    else
        # -I: what lies beside environment.py is no module of Python's.
        exec "$candidate" -I "$environment" "$root" "$@"
    fi
done

wanted="install Python 3.$oldest to 3.$newest (Debian and Ubuntu: apt install python3 python3-venv)"
if [ "$lacking_part" = CPython ] || [ "$lacking_part" = GIL ]; then
    say "$lacking is not the usual build of Python (CPython with its lock), the only one with binary packages: $wanted."
elif [ -n "$lacking" ] && [ -e /etc/debian_version ]; then
    say "Python $lacking_version is here without $lacking_part: apt install python$lacking_version-venv, then run this again."
elif [ -n "$lacking" ]; then
    say "Python $lacking_version is here without its module $lacking_part: install that part of it, then run this again."
elif [ -n "$too_new" ]; then
    say "Python $too_new is newer than the locked packages serve: $wanted."
elif [ -n "$too_old" ]; then
    say "Python $too_old is too old: $wanted."
else
    say "Python is not here: $wanted."
fi
exit 1
