package service

import (
	"context"
	"net"
	"regexp"
	"slices"
	"strings"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/rule"
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
	Name           rule.Change[string]
	Host           rule.Change[string]
	Port           rule.Change[int]
	Transport      rule.Change[string]
	Username       rule.Change[string]
	Password       rule.Change[string]
	Register       rule.Change[bool]
	RealtimeText   rule.Change[bool]
	SRTP           rule.Change[string]
	Codecs         rule.Change[[]string]
	CallsPerSecond rule.Change[int]
	MaxCalls       rule.Change[int]
	Incoming       rule.Change[IncomingChange] // nil fields of it keep what is there
	IfVersion      int64                       // 0 for any
}

// CreateTrunk makes a trunk. In live mode it is a SIP peer; in test mode every
// trunk leads to the simulated phones, whatever its host says, so that the same
// requests work in both.
func (s *Service) CreateTrunk(ctx context.Context, in domain.Scope, req TrunkChange, once *rule.Once[domain.Trunk]) (*domain.Trunk, error) {
	return rule.Effect(ctx, &s.Kit, in, once, func(ctx context.Context, st *domain.Stores) (*domain.Trunk, error) {
		now := s.Clock()
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
	return rule.Effect(ctx, &s.Kit, in, nil, func(ctx context.Context, st *domain.Stores) (*domain.Trunk, error) {
		t, err := st.Trunks.Get(ctx, in, id)
		if err != nil {
			return nil, err
		}
		if err := rule.At(req.IfVersion, t.Version); err != nil {
			return nil, err
		}
		if err := req.apply(t); err != nil {
			return nil, err
		}
		t.UpdatedAt = s.Clock()
		return t, st.Trunks.Update(ctx, t)
	})
}

// apply puts the changes into t and checks the whole.
func (req TrunkChange) apply(t *domain.Trunk) error {
	rule.Set(&t.Name, req.Name)
	rule.Set(&t.Host, req.Host)
	rule.Set(&t.Port, req.Port)
	rule.Set(&t.Transport, req.Transport)
	rule.Set(&t.Username, req.Username)
	rule.Set(&t.Password, req.Password)
	rule.Set(&t.Register, req.Register)
	rule.Set(&t.RealtimeText, req.RealtimeText)
	rule.Set(&t.SRTP, req.SRTP)
	rule.Set(&t.Codecs, req.Codecs)
	rule.Set(&t.CallsPerSecond, req.CallsPerSecond)
	rule.Set(&t.MaxCalls, req.MaxCalls)
	if err := req.Incoming.apply(&t.Incoming); err != nil {
		return err
	}
	if t.Port == 0 {
		t.Port = sipPort(t.Transport)
	}
	err := rule.First(
		rule.Name("name", t.Name), trunkHost(t), rule.Within("port", t.Port, 1, 65535),
		rule.OneOf("transport", t.Transport, "udp", "tcp", "tls"),
		rule.OneOf("srtp", t.SRTP, "off", "optional", "required"),
		rule.Text("username", t.Username, rule.MaxName), rule.Text("password", t.Password, rule.MaxName),
		rule.Within("callsPerSecond", t.CallsPerSecond, 1, maxTrunkRate), rule.Within("maxCalls", t.MaxCalls, 1, maxTrunkRate),
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
	return rule.View(ctx, &s.Kit, func(ctx context.Context, st *domain.Stores) (*domain.Trunk, error) {
		return st.Trunks.Get(ctx, in, id)
	})
}

// Trunks returns a page of trunks, newest first, and the number of all.
func (s *Service) Trunks(ctx context.Context, in domain.Scope, page domain.Page) ([]domain.Trunk, int, error) {
	return rule.Listed(ctx, &s.Kit, in, page, func(st *domain.Stores) domain.Collection[domain.Trunk] { return st.Trunks })
}

// DeleteTrunk deletes a trunk that no number uses.
func (s *Service) DeleteTrunk(ctx context.Context, in domain.Scope, id domain.ID, ifVersion int64) error {
	return s.Store.InTx(ctx, domain.LaneAPI, func(ctx context.Context, st *domain.Stores) error {
		t, err := st.Trunks.Get(ctx, in, id)
		if err != nil {
			return err
		}
		if err := rule.At(ifVersion, t.Version); err != nil {
			return err
		}
		// First, so that nobody begins to use it meanwhile.
		if err := st.Trunks.Delete(ctx, in, id); err != nil {
			return err
		}
		return rule.Scan(ctx, st.Numbers, in, numberID, func(n *domain.PhoneNumber) error {
			if n.TrunkID != id {
				return nil
			}
			return domain.Errorf(domain.CodeConflict,
				"the phone number %s (%s) uses this trunk; give it another trunk first, or delete it", n.Number, n.ID)
		})
	})
}
