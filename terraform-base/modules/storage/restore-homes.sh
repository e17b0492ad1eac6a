# shellcheck shell=sh
# Gives homes back from the folder in which AWS Backup has restored them. A home that exists gets the folder `restored-<time>`, so that no
# newer file is overwritten. A home that does not exist is created.
#
#   HOMES                       names of homes, separated by spaces; or all
#   FILE_SYSTEM, ACCESS_POINT   the file system, and its access point for restores
set -eu

say() { echo "restore-homes: $*" >&2; }

at=$(mktemp -d)
mount -t efs -o "tls,iam,accesspoint=$ACCESS_POINT" "$FILE_SYSTEM" "$at"
trap 'umount "$at" && rmdir "$at"' EXIT

# Their names have the time in them, so that the last of them in the alphabet is the newest.
newest=$(find "$at/" -mindepth 1 -maxdepth 1 -type d -name 'aws-backup-restore_*' | sort | tail -1)
[ -n "$newest" ] || { say "AWS Backup has restored nothing here: start a restore job first"; exit 1; }
time=${newest##*aws-backup-restore_}
[ "$HOMES" != all ] || HOMES=$(ls "$newest/homes")

for home in $HOMES; do
    from=$newest/homes/$home
    [ -d "$from" ] || { say "$home is not in the backup: see whether its name is right"; exit 1; }
done
for home in $HOMES; do
    from=$newest/homes/$home to=$at/homes/$home
    [ ! -d "$to" ] || to=$to/restored-$time
    if [ -d "$to" ]; then
        say "$home has it already"
        continue
    fi
    # A copy that was cut short is not taken for a whole one.
    rm -rf "$at/homes/.restoring"
    cp -a "$from" "$at/homes/.restoring"
    mv "$at/homes/.restoring" "$to"
    say "$home is in ${to#"$at"}"
done
