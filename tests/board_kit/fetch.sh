#!/bin/bash
# fetch.sh STATE_FOLDER SUITE download|source PACKAGE...
#
# Downloads signed packages of another Debian suite into the current folder, from the mirror that this machine already
# uses. The system's own apt state is not touched. `source` takes the upstream tar files only.
set -euo pipefail

state=$1/$2 suite=$2 verb=$3
shift 3
mkdir -p "$state/lists/partial" "$state/cache/archives/partial"
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -v -- -security | sort -u | sed -n 1p)
cat > "$state/suite.sources" <<EOF
Types: deb deb-src
URIs: $mirror
Suites: $suite
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
EOF
options=(
  -o "Dir::Etc::sourcelist=$state/suite.sources" -o Dir::Etc::sourceparts=-
  -o "Dir::State::lists=$state/lists" -o "Dir::Cache=$state/cache" -o APT::Sandbox::User=root
)
compgen -G "$state/lists/*InRelease" > /dev/null || apt-get "${options[@]}" -qq update
case $verb in
  source) apt-get "${options[@]}" -qq --download-only --tar-only source "$@" ;;
  download) apt-get "${options[@]}" -qq download "$@" ;;
esac
