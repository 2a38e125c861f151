package service

import (
	"context"
	"net"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/rule"
)

// Leg is all that is needed to dial whom a call is handed over to.
type Leg struct {
	Attempt domain.Attempt // zero unless we are the ones who dial
	Trunk   domain.Trunk
	From    string // the number of ours that is shown
	To      string // what the trunk's carrier is asked for
}

// HandOver checks whom a live call may be handed over to, as strictly as whom a
// call may be placed to, and, when we are to dial, writes down durably that an
// INVITE is about to be sent.
func (s *Service) HandOver(ctx context.Context, call domain.Call, t domain.Transfer, epoch domain.ID, sipCallID string) (*Leg, error) {
	if err := s.takesCalls(); err != nil {
		return nil, err
	}
	in := domain.Scope{Workspace: call.WorkspaceID, Mode: call.Mode}
	var leg *Leg
	err := s.Store.InTx(ctx, domain.LaneDial, func(ctx context.Context, st *domain.Stores) error {
		// From here on until the commit nobody takes this process for dead.
		if err := st.Nodes.Hold(ctx, epoch, NodeLease); err != nil {
			return err
		}
		from, err := st.Numbers.Get(ctx, in, call.PhoneNumberID)
		if err != nil {
			return err
		}
		leg = &Leg{From: from.Number}
		trunk, to, err := target(ctx, st, in, from, t.To)
		if err != nil {
			return err
		}
		leg.Trunk, leg.To = *trunk, to
		if t.Mode == domain.TransferRefer {
			return nil
		}
		if err := roomOn(ctx, st, trunk); err != nil {
			return err
		}
		others, err := st.Attempts.ByCall(ctx, call.ID)
		if err != nil {
			return err
		}
		now := s.Clock()
		leg.Attempt = domain.Attempt{
			ID: domain.NewID(), WorkspaceID: in.Workspace, Mode: in.Mode, CallID: call.ID, Kind: domain.AttemptTransfer,
			Number: t.To, TrunkID: trunk.ID, TryNumber: len(others) + 1, State: domain.AttemptIntent, Epoch: epoch,
			SIPCallID: sipCallID, NextAt: now, CreatedAt: now,
		}
		return st.Attempts.Create(ctx, &leg.Attempt)
	})
	if err != nil {
		return nil, err
	}
	return leg, nil
}

// target finds the trunk to somebody to whom a call is handed over, and what its
// carrier is asked for. A number goes over the trunk of our own number; a SIP
// address must be at one of the workspace's trunks.
func target(ctx context.Context, st *domain.Stores, in domain.Scope, from *domain.PhoneNumber, to string) (*domain.Trunk, string, error) {
	if user, host, ok := sipAddress(to); ok {
		trunk, err := trunkAt(ctx, st, in, host)
		if err == nil && trunk == nil {
			refused := domain.Errorf(domain.CodeForbidden, "the SIP address to hand over to is at none of the workspace's trunks; create a trunk to its host first")
			refused.Field, refused.Reason = "to", "destination_not_allowed"
			return nil, "", refused
		}
		if err == nil && strings.HasPrefix(user, "+") {
			err = destination(ctx, st, trunk, user)
		}
		return trunk, user, err
	}
	if err := rule.Number("to", to); err != nil {
		return nil, "", err
	}
	trunk, err := trunkOf(ctx, st, in, from)
	if err == nil {
		err = destination(ctx, st, trunk, to)
	}
	return trunk, to, err
}

// sipUser is what may stand before the @ of an address to hand over to:
// numbers, and names of people and extensions.
var sipUser = regexp.MustCompile(`^\+?[A-Za-z0-9][A-Za-z0-9._*#-]{0,63}$`)

// sipAddress parts sip:user@host[:port].
func sipAddress(text string) (user, host string, ok bool) {
	rest, found := strings.CutPrefix(text, "sip:")
	if !found {
		return "", "", false
	}
	user, host, found = strings.Cut(rest, "@")
	return user, host, found && sipUser.MatchString(user) && host != "" && !strings.ContainsAny(host, ";?<> ")
}

// trunkAt returns the workspace's oldest trunk to a host, which may have a port;
// nil when there is none.
func trunkAt(ctx context.Context, st *domain.Stores, in domain.Scope, host string) (*domain.Trunk, error) {
	bare, port := host, 0
	if h, p, err := net.SplitHostPort(host); err == nil {
		if port, err = strconv.Atoi(p); err != nil {
			return nil, domain.Invalid("to", "the port of the SIP address is not a number")
		}
		bare = h
	}
	var at *domain.Trunk
	err := rule.Scan(ctx, st.Trunks, in, trunkID, func(t *domain.Trunk) error {
		if strings.EqualFold(strings.Trim(t.Host, "[]"), strings.Trim(bare, "[]")) && (port == 0 || port == t.Port) {
			found := *t
			at = &found
		}
		return nil
	})
	return at, err
}

func trunkID(t *domain.Trunk) domain.ID { return t.ID }

// ProgressLeg notes how far the leg to whom a call is handed over has come.
func (s *Service) ProgressLeg(a domain.Attempt) bool {
	taken := s.buffer.Put(func(ctx context.Context, st *domain.Stores) error {
		held := a
		return st.Attempts.Update(ctx, &held)
	})
	if a.State == domain.AttemptAnswered {
		s.background.Go(s.flushSoon) // for the next start, after a crash
	}
	return taken
}

// EndLeg notes how the leg to whom a call is handed over ended.
func (s *Service) EndLeg(a domain.Attempt, reason domain.EndReason, at time.Time) bool {
	a.State, a.EndReason, a.EndedAt = domain.AttemptEnded, reason, at
	return s.ProgressLeg(a)
}
