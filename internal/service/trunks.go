package service

import (
	"context"
	"net"
	"regexp"
	"slices"
	"strings"

	"github.com/callwright/callwright/internal/domain"
)

// The rates that a trunk has when the request does not say.
const (
	defaultCallsPerSecond = 10
	sandboxCallsPerSecond = 100
	defaultMaxCalls       = 100
	maxTrunkRate          = 10_000
)

// trunkCodecs are the codecs that a trunk may list.
var trunkCodecs = []string{"PCMU", "PCMA", "G722"}

// TrunkChange is a new trunk, or what is to change in one. Nil fields keep what
// is there (in a new trunk: the defaults).
type TrunkChange struct {
	Name           Change[string]
	Host           Change[string]
	Port           Change[int]
	Transport      Change[string]
	Username       Change[string]
	Password       Change[string]
	Register       Change[bool]
	RealtimeText   Change[bool]
	SRTP           Change[string]
	Codecs         Change[[]string]
	CallsPerSecond Change[int]
	MaxCalls       Change[int]
	Incoming       Change[IncomingChange] // nil fields of it keep what is there
	IfVersion      int64                  // 0 for any
}

// CreateTrunk makes a trunk. In live mode it is a SIP peer; in test mode every
// trunk leads to the simulated phones, whatever its host says, so that the same
// requests work in both.
func (s *Service) CreateTrunk(ctx context.Context, in domain.Scope, req TrunkChange, once *Once[domain.Trunk]) (*domain.Trunk, error) {
	return effect(ctx, s, in, once, func(ctx context.Context, st *domain.Stores) (*domain.Trunk, error) {
		now := s.clock()
		t := &domain.Trunk{
			ID: domain.NewID(), WorkspaceID: in.Workspace, Mode: in.Mode,
			Carrier: domain.CarrierSIP, Transport: "udp", SRTP: "off", Codecs: []string{"PCMU", "PCMA"},
			CallsPerSecond: defaultCallsPerSecond, MaxCalls: defaultMaxCalls,
			Version: 1, CreatedAt: now, UpdatedAt: now,
		}
		if in.Mode == domain.Test {
			t.Carrier, t.RealtimeText, t.CallsPerSecond = domain.CarrierSandbox, true, sandboxCallsPerSecond
		}
		if err := req.apply(t); err != nil {
			return nil, err
		}
		return t, st.Trunks.Create(ctx, t)
	})
}

// UpdateTrunk changes the fields of a trunk that req names.
func (s *Service) UpdateTrunk(ctx context.Context, in domain.Scope, id domain.ID, req TrunkChange) (*domain.Trunk, error) {
	return effect(ctx, s, in, nil, func(ctx context.Context, st *domain.Stores) (*domain.Trunk, error) {
		t, err := st.Trunks.Get(ctx, in, id)
		if err != nil {
			return nil, err
		}
		if err := at(req.IfVersion, t.Version); err != nil {
			return nil, err
		}
		if err := req.apply(t); err != nil {
			return nil, err
		}
		t.UpdatedAt = s.clock()
		return t, st.Trunks.Update(ctx, t)
	})
}

// apply puts the changes into t and checks the whole.
func (req TrunkChange) apply(t *domain.Trunk) error {
	set(&t.Name, req.Name)
	set(&t.Host, req.Host)
	set(&t.Port, req.Port)
	set(&t.Transport, req.Transport)
	set(&t.Username, req.Username)
	set(&t.Password, req.Password)
	set(&t.Register, req.Register)
	set(&t.RealtimeText, req.RealtimeText)
	set(&t.SRTP, req.SRTP)
	set(&t.Codecs, req.Codecs)
	set(&t.CallsPerSecond, req.CallsPerSecond)
	set(&t.MaxCalls, req.MaxCalls)
	if err := req.Incoming.apply(&t.Incoming); err != nil {
		return err
	}
	if t.Port == 0 {
		t.Port = sipPort(t.Transport)
	}
	err := first(
		name("name", t.Name), trunkHost(t), within("port", t.Port, 1, 65535),
		oneOf("transport", t.Transport, "udp", "tcp", "tls"),
		oneOf("srtp", t.SRTP, "off", "optional", "required"),
		text("username", t.Username, maxName), text("password", t.Password, maxName),
		within("callsPerSecond", t.CallsPerSecond, 1, maxTrunkRate), within("maxCalls", t.MaxCalls, 1, maxTrunkRate),
		codecs(t.Codecs),
	)
	if err == nil && t.Register && t.Username == "" {
		err = domain.Invalid("username", "username is required for a trunk that registers")
	}
	return err
}

// sipPort is the port of a transport (RFC 3261 section 19.1.2).
func sipPort(transport string) int {
	if transport == "tls" {
		return 5061
	}
	return 5060
}

// hostName is the shape of a host name (RFC 1123 section 2.1).
var hostName = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_-]{0,62})(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,62}))*\.?$`)

func trunkHost(t *domain.Trunk) error {
	if t.Host == "" {
		if t.Carrier == domain.CarrierSandbox {
			return nil
		}
		return domain.Invalid("host", "host is required: the name or address of the carrier's SIP server")
	}
	bare := strings.TrimSuffix(strings.TrimPrefix(t.Host, "["), "]")
	if net.ParseIP(bare) != nil || len(t.Host) <= 253 && hostName.MatchString(t.Host) {
		return nil
	}
	return domain.Invalid("host", "host must be a host name or an IP address, without scheme and port (the port goes into port)")
}

func codecs(list []string) error {
	if len(list) == 0 {
		return domain.Invalid("codecs", "codecs must list at least one of: %s", strings.Join(trunkCodecs, ", "))
	}
	for i, c := range list {
		if !slices.Contains(trunkCodecs, c) {
			return domain.Invalid("codecs", "codecs: entry %d is not known; known are %s", i+1, strings.Join(trunkCodecs, ", "))
		}
		if slices.Contains(list[:i], c) {
			return domain.Invalid("codecs", "codecs: %s is listed twice", c)
		}
	}
	return nil
}

// Trunk returns one trunk.
func (s *Service) Trunk(ctx context.Context, in domain.Scope, id domain.ID) (*domain.Trunk, error) {
	return view(ctx, s, func(ctx context.Context, st *domain.Stores) (*domain.Trunk, error) {
		return st.Trunks.Get(ctx, in, id)
	})
}

// Trunks returns a page of trunks, newest first, and the number of all.
func (s *Service) Trunks(ctx context.Context, in domain.Scope, page domain.Page) ([]domain.Trunk, int, error) {
	return listed(ctx, s, in, page, func(st *domain.Stores) domain.Collection[domain.Trunk] { return st.Trunks })
}

// DeleteTrunk deletes a trunk that no number uses.
func (s *Service) DeleteTrunk(ctx context.Context, in domain.Scope, id domain.ID, ifVersion int64) error {
	return s.store.InTx(ctx, domain.LaneAPI, func(ctx context.Context, st *domain.Stores) error {
		t, err := st.Trunks.Get(ctx, in, id)
		if err != nil {
			return err
		}
		if err := at(ifVersion, t.Version); err != nil {
			return err
		}
		// First, so that nobody begins to use it meanwhile.
		if err := st.Trunks.Delete(ctx, in, id); err != nil {
			return err
		}
		return scan(ctx, st.Numbers, in, numberID, func(n *domain.PhoneNumber) error {
			if n.TrunkID != id {
				return nil
			}
			return domain.Errorf(domain.CodeConflict,
				"the phone number %s (%s) uses this trunk; give it another trunk first, or delete it", n.Number, n.ID)
		})
	})
}
