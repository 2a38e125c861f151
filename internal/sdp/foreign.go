package sdp

import (
	"slices"
	"strconv"
	"strings"
)

// foreign is an m= line of a kind or protocol that the parser does not know,
// such as fax ("m=image 5000 udptl t38"). It is rejected, but in its place, and
// so it has to be kept (RFC 3264 section 6).
type foreign struct {
	kind, proto string
	port        int
	formats     []string
}

// standIn takes a foreign line's place while the rest is parsed.
const standIn = "m=application 0 UDP 0"

// disguise replaces foreign m= lines by stand-ins and returns them by their
// place. It also ends the last line, which some senders forget.
func disguise(body []byte) (string, map[int]foreign) {
	lines := strings.Split(strings.TrimRight(string(body), "\r\n"), "\n")
	found := map[int]foreign{}
	n := -1
	for i, line := range lines {
		rest, ok := strings.CutPrefix(line, "m=")
		if !ok {
			continue
		}
		n++
		f := strings.Fields(rest)
		if len(f) < 4 || wellKnown(f[0], f[2]) {
			continue
		}
		port, err := strconv.Atoi(f[1])
		if err != nil || port < 0 || port > 65535 {
			continue // the parser says what is wrong with it
		}
		found[n] = foreign{kind: strings.ToLower(f[0]), port: port, proto: f[2], formats: f[3:]}
		lines[i] = standIn + "\r"
	}
	return strings.Join(lines, "\n") + "\r\n", found
}

func wellKnown(kind, proto string) bool {
	return slices.Contains([]string{"audio", "video", "text"}, kind) &&
		slices.Contains([]string{"RTP/AVP", "RTP/AVPF", "RTP/SAVP", "RTP/SAVPF"}, proto)
}
