# One phase of the job: PHASE TALLY GATE RESULTS JOB. Notes that it was started, writes known bytes, in its first attempt
# waits at the gate.
echo "$ORCHESTRA_RUN.$ORCHESTRA_ATTEMPT $1${ORCHESTRA_FAIL_POINT:+ and knows the fail point}" >> "$2"
printf '%s:\377\000\r no newline' "$1"
if [ "$1" = commands ]; then
    if [ -n "$3" ] && [ "$ORCHESTRA_ATTEMPT" = 1 ]; then read -r _ < "$3"; fi
    if [ "$5" = unsteady ] && [ "$ORCHESTRA_ATTEMPT" = 1 ]; then exit 3; fi
    printf '{"answer": 42}' > "$4"
fi
