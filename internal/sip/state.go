package sip

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"

	wire "github.com/emiago/sipgo/sip"
)

// DialogState is what a dialog is made of (RFC 3261 section 12): enough for
// another process to end it. It marshals to JSON.
type DialogState struct {
	CallID     string   `json:"callId"`
	LocalTag   string   `json:"localTag"`
	RemoteTag  string   `json:"remoteTag"`
	Local      string   `json:"local"`  // our address: "Name" <sip:…>
	Remote     string   `json:"remote"` // theirs
	Target     string   `json:"target"` // the URI that requests go to
	Routes     []string `json:"routes,omitempty"`
	LocalCSeq  uint32   `json:"localCSeq"`  // of our last request
	RemoteCSeq uint32   `json:"remoteCSeq"` // of their last request, 0 for none yet
	Transport  string   `json:"transport"`  // UDP, TCP or TLS, when the target does not say
	// ServerName is whom the certificate named that the dialog began with. It
	// stands for a target that is only an address.
	ServerName string `json:"serverName,omitempty"`

	flow hop // where the far end's first request came from, if it began the dialog
}

// Bytes returns the state as JSON, for ByeFrom.
func (s DialogState) Bytes() []byte {
	b, err := json.Marshal(s)
	if err != nil {
		return nil // strings and numbers always marshal
	}
	return b
}

// crashGap is how far ByeFrom counts CSeq up: past whatever the process that
// died sent after it stored the state. Gaps are allowed (RFC 3261 section
// 12.2.2).
const crashGap = 100

// ByeFrom ends a dialog of a process that is no more, from the bytes of its
// state. A far end that does not know the dialog any more is no error.
func (u *UA) ByeFrom(ctx context.Context, state []byte) error {
	var s DialogState
	if err := json.Unmarshal(state, &s); err != nil {
		return fmt.Errorf("sip: dialog state: %w", err)
	}
	if s.CallID == "" || s.LocalTag == "" || s.Target == "" {
		return fmt.Errorf("sip: dialog state lacks its Call-ID, local tag or target")
	}
	s.LocalCSeq += crashGap
	d := newDialog(u, s)
	d.confirm()
	return d.Bye(ctx)
}

// build makes a request within a dialog and finds where it goes (RFC 3261
// section 12.2.1.1).
func (u *UA) build(ctx context.Context, s DialogState, method wire.RequestMethod, cseq uint32) (*wire.Request, hop, error) {
	var target wire.Uri
	if err := wire.ParseUri(s.Target, &target); err != nil {
		return nil, hop{}, fmt.Errorf("sip: remote target %q: %w", s.Target, err)
	}
	routes, err := parseRoutes(s.Routes)
	if err != nil {
		return nil, hop{}, err
	}
	to, recipient := target, target
	if len(routes) > 0 {
		to = routes[0]
		if !routes[0].UriParams.Has("lr") { // a strict router
			recipient = routes[0]
			routes = append(routes[1:], target)
		}
	}
	if s.Transport != "" && to.Scheme != "sips" && !to.UriParams.Has("transport") {
		to = *to.Clone()
		to.UriParams.Add("transport", strings.ToLower(s.Transport))
	}
	dst, err := u.reach(ctx, s, &to)
	if err != nil {
		return nil, hop{}, err
	}
	req := wire.NewRequest(method, recipient)
	req.AppendHeader(u.via(dst))
	for _, r := range routes {
		req.AppendHeader(&wire.RouteHeader{Address: r})
	}
	local, remote := wire.FromHeader{}, wire.ToHeader{}
	if local.DisplayName, err = wire.ParseAddressValue(s.Local, &local.Address, &local.Params); err != nil {
		return nil, hop{}, fmt.Errorf("sip: local address %q: %w", s.Local, err)
	}
	if remote.DisplayName, err = wire.ParseAddressValue(s.Remote, &remote.Address, &remote.Params); err != nil {
		return nil, hop{}, fmt.Errorf("sip: remote address %q: %w", s.Remote, err)
	}
	local.Params.Add("tag", s.LocalTag)
	if s.RemoteTag != "" { // RFC 2543 peers have none
		remote.Params.Add("tag", s.RemoteTag)
	}
	req.AppendHeader(&local)
	req.AppendHeader(&remote)
	id, forwards := wire.CallIDHeader(s.CallID), wire.MaxForwardsHeader(70)
	req.AppendHeader(&id)
	req.AppendHeader(&wire.CSeqHeader{SeqNo: cseq, MethodName: method})
	req.AppendHeader(&forwards)
	req.AppendHeader(wire.NewHeader("User-Agent", u.opts.UserAgent))
	switch method {
	case wire.INVITE, wire.UPDATE, wire.REFER, wire.NOTIFY: // they refresh the target
		req.AppendHeader(u.contactFor(recipient, local.Address.User, dst))
		req.AppendHeader(wire.NewHeader("Allow", allow))
	}
	return req, dst, nil
}

// reach finds where a request within a dialog goes. A far end that connected to
// us is reached over its connection: it need not listen, and need not have a
// certificate (RFC 5923 section 1).
func (u *UA) reach(ctx context.Context, s DialogState, to *wire.Uri) (hop, error) {
	open := s.flow.Reliable() && u.streams.Find(s.flow) != nil
	dst, err := u.resolve(ctx, to)
	if err != nil {
		return hop{}, err
	}
	if open && dst.Addr.Addr() == s.flow.Addr.Addr() {
		return s.flow, nil
	}
	if _, err := netip.ParseAddr(dst.Name); err == nil && s.ServerName != "" {
		dst.Name = s.ServerName
	}
	if _, err := u.connect(dst); err != nil {
		if open {
			return s.flow, nil
		}
		return hop{}, err
	}
	return dst, nil
}

func parseRoutes(texts []string) ([]wire.Uri, error) {
	routes := make([]wire.Uri, 0, len(texts))
	for _, text := range texts {
		var r wire.Uri
		if err := wire.ParseUri(text, &r); err != nil {
			return nil, fmt.Errorf("sip: route %q: %w", text, err)
		}
		routes = append(routes, r)
	}
	return routes, nil
}

// recordRoutes returns the Record-Route URIs of a message in order.
func recordRoutes(m wire.Message) []string {
	var out []string
	for _, h := range m.GetHeaders("Record-Route") {
		if rr, ok := h.(*wire.RecordRouteHeader); ok {
			out = append(out, rr.Address.String())
		}
	}
	return out
}

// addressValue renders a name-addr without its parameters.
func addressValue(name string, uri wire.Uri) string {
	h := wire.ToHeader{DisplayName: name, Address: uri}
	return h.Value()
}
