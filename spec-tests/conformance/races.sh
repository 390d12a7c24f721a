#!/bin/sh
# races.sh ARGUMENTS...: the runtime $RACING as a validation program calls it, without the race of that program
# (races.json): the container's process is $RACE_ARGS instead of "true", and has $RACE_SETTLE seconds after `start`; a
# poststart hook does $RACE_HOOK first.
[ -z "${RACE_ARGS:-}" ] || change="s/\"true\"/$RACE_ARGS/"
[ -z "${RACE_HOOK:-}" ] || change="s/echo 'post-start/$RACE_HOOK; echo 'post-start/"
if [ "$1" = create ] && [ -n "${change:-}" ]; then
  for argument; do
    # What comes after --bundle.
    [ "${before:-}" != --bundle ] || sed -i "$change" "$argument/config.json"
    before=$argument
  done
fi
[ "$1" = start ] && [ -n "${RACE_SETTLE:-}" ] || exec "$RACING" "$@"
"$RACING" "$@" || exit
sleep "$RACE_SETTLE"
