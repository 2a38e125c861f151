package api

import (
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

// proxies are the networks whose word on where a request came from is believed.
type proxies []netip.Prefix

// origin is where a request came from.
type origin struct {
	addr netip.Addr // not valid when it is not known
	// scheme and host are what the client asked the outermost trusted proxy for;
	// "" where no trusted proxy tells.
	scheme, host string
}

// origin finds out where a request came from: its peer, unless that is a trusted
// proxy, which then says so in X-Forwarded-For or in Forwarded (RFC 7239).
func (p proxies) origin(r *http.Request) origin {
	peer := peerOf(r.RemoteAddr)
	if !p.trust(peer) {
		return origin{addr: peer}
	}
	list, elements := splitList(r.Header.Values("X-Forwarded-For")), forwarded(r.Header.Values("Forwarded"))
	if len(elements) == 0 {
		addr, trusted := p.client(peer, list)
		return origin{
			addr: addr, scheme: schemeOf(hop(splitList(r.Header.Values("X-Forwarded-Proto")), trusted)),
			host: hostOf(hop(splitList(r.Header.Values("X-Forwarded-Host")), trusted)),
		}
	}
	nodes := make([]string, len(elements))
	for i, e := range elements {
		nodes[i] = e["for"]
	}
	addr, trusted := p.client(peer, nodes)
	if other, _ := p.client(peer, list); len(list) > 0 && other != addr {
		// A proxy that speaks the one header lets what a client sends in the other
		// pass: neither can be believed.
		return origin{}
	}
	e := hop(elements, trusted)
	return origin{addr: addr, scheme: schemeOf(e["proto"]), host: hostOf(e["host"])}
}

// client returns the right-most of nodes that is no trusted proxy, and how many
// stand to the right of it. Each proxy adds at the right end, so that what is left
// of the client may be made up. When all are trusted, the request came from the
// first of them; without any, from the peer. A node that is no address hides the
// client.
func (p proxies) client(peer netip.Addr, nodes []string) (addr netip.Addr, trusted int) {
	addr = peer
	for _, node := range slices.Backward(nodes) {
		addr = nodeAddr(node)
		if !p.trust(addr) {
			return addr, trusted
		}
		trusted++
	}
	return addr, max(trusted-1, 0)
}

// trust reports whether addr is a trusted proxy.
func (p proxies) trust(addr netip.Addr) bool {
	return slices.ContainsFunc(p, func(network netip.Prefix) bool { return network.Contains(addr) })
}

// peerOf is the address of a connection, IPv4 in its own form.
func peerOf(remote string) netip.Addr {
	at, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Addr{}
	}
	return at.Addr().Unmap()
}

// nodeAddr reads an address with or without a port: 192.0.2.1, 192.0.2.1:80,
// 2001:db8::1, [2001:db8::1], [2001:db8::1]:80. Names ("unknown", "_hidden"), what
// has a zone, and anything else is no address.
func nodeAddr(node string) netip.Addr {
	text := node
	if rest, bracketed := strings.CutPrefix(node, "["); bracketed {
		inside, port, closed := strings.Cut(rest, "]")
		if !closed || port != "" && !nodePort(port) {
			return netip.Addr{}
		}
		addr, err := netip.ParseAddr(inside)
		if err != nil || addr.Is4() || addr.Zone() != "" {
			return netip.Addr{}
		}
		return addr.Unmap()
	}
	if i := strings.IndexByte(node, ':'); i >= 0 && strings.IndexByte(node[i+1:], ':') < 0 { // one colon: no IPv6
		if !nodePort(node[i:]) {
			return netip.Addr{}
		}
		text = node[:i]
	}
	addr, err := netip.ParseAddr(text)
	if err != nil || addr.Zone() != "" {
		return netip.Addr{}
	}
	return addr.Unmap()
}

// portForm is a node's port (RFC 7239 section 6), with its colon.
var portForm = regexp.MustCompile(`^:([0-9]{1,5}|_[A-Za-z0-9._-]+)$`)

func nodePort(text string) bool { return portForm.MatchString(text) }

// hop returns the entry of the hop that so many trusted proxies followed; a list
// that is shorter has been begun later, and its first entry is the nearest.
func hop[T any](list []T, trusted int) (entry T) {
	if len(list) == 0 {
		return entry
	}
	return list[max(len(list)-1-trusted, 0)]
}

func schemeOf(word string) string {
	if word = strings.ToLower(word); word == "http" || word == "https" {
		return word
	}
	return ""
}

// hostForm is a host with or without a port, as far as links need it to be one.
var hostForm = regexp.MustCompile(`^([A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?$`)

func hostOf(text string) string {
	if hostForm.MatchString(text) {
		return text
	}
	return ""
}

// splitList reads a list that may go over several headers (RFC 9110 section
// 5.6.1): empty entries count for nothing.
func splitList(headers []string) []string {
	var out []string
	for _, header := range headers {
		for entry := range strings.SplitSeq(header, ",") {
			if entry = strings.Trim(entry, " \t"); entry != "" {
				out = append(out, entry)
			}
		}
	}
	return out
}

// nobody is an element that names no address.
var nobody = map[string]string{"for": "unknown"}

// forwarded reads the elements of Forwarded (RFC 7239 section 4). Of a header
// whose quotes do not match, no element can be believed: a client may have left
// one open, for the proxy's element to end up within it.
func forwarded(headers []string) []map[string]string {
	var out []map[string]string
	for _, header := range headers {
		texts, whole := splitQuoted(header, ',')
		if !whole {
			out = append(out, nobody)
			continue
		}
		for _, text := range texts {
			if text != "" {
				out = append(out, forwardedElement(text))
			}
		}
	}
	return out
}

// forwardedElement reads the pairs of one element, each of which may be there
// once.
func forwardedElement(text string) map[string]string {
	element := make(map[string]string)
	pairs, _ := splitQuoted(text, ';')
	for _, pair := range pairs {
		name, value, _ := strings.Cut(pair, "=")
		name = strings.ToLower(strings.Trim(name, " \t"))
		value, plain := unquote(strings.Trim(value, " \t"))
		if _, twice := element[name]; twice || !plain {
			return nobody
		}
		element[name] = value
	}
	return element
}

// splitQuoted splits text at sep, but not within quotes; whole means that these
// match.
func splitQuoted(text string, sep byte) (parts []string, whole bool) {
	begin, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case c == sep && !quoted:
			parts = append(parts, strings.Trim(text[begin:i], " \t"))
			begin = i + 1
		}
	}
	return append(parts, strings.Trim(text[begin:], " \t")), !quoted
}

// unquote reads a quoted string (RFC 9110 section 5.6.4); what has no quotes stays
// as it is, and what has some elsewhere is not plain.
func unquote(value string) (text string, plain bool) {
	if !strings.Contains(value, `"`) {
		return value, true
	}
	if len(value) < 2 || value[0] != '"' || value[len(value)-1] != '"' {
		return "", false
	}
	var out strings.Builder
	for i := 1; i < len(value)-1; i++ {
		switch {
		case value[i] == '\\' && i+1 < len(value)-1:
			i++
		case value[i] == '"' || value[i] == '\\':
			return "", false
		}
		out.WriteByte(value[i])
	}
	return out.String(), true
}
