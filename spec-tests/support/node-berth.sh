#!/bin/sh
# The Node host under the name that a runtime has.
exec node "$(dirname "$(readlink -f "$0")")/../../dist/node/berth.js" "$@"
