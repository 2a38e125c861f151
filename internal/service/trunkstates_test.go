package service_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service"
)

type states map[domain.ID]domain.TrunkStatus

func (s states) TrunkStatus(id domain.ID) (domain.TrunkStatus, bool) {
	status, known := s[id]
	return status, known
}

// TestTrunksOfNodes shares trunks out among nodes that come and go.
func TestTrunksOfNodes(t *testing.T) {
	k := newKit(t)
	const registering = 12
	var watched domain.ID
	for i := range registering + 1 {
		req := service.TrunkChange{Name: given("A carrier"), Host: given("sip.example.com"), Username: given("alice"), Password: given("secret"), Register: given(i > 0), Transport: given("tls")}
		made, err := k.CreateTrunk(t.Context(), k.prod, req, nil)
		k.ok(err)
		if made.Port != 5061 {
			t.Errorf("a TLS trunk has port %d", made.Port)
		}
		if i == 0 {
			watched = made.ID
		}
	}
	nodes := []domain.ID{domain.NewID(), domain.NewID()}
	join := func(epoch domain.ID) {
		k.ok(k.store.InTx(t.Context(), domain.LaneAPI, func(ctx context.Context, s *domain.Stores) error {
			return s.Nodes.Join(ctx, &domain.Node{Epoch: epoch})
		}))
	}
	kept := func(epoch domain.ID) map[domain.ID]bool {
		list, err := k.TrunksOf(t.Context(), epoch)
		k.ok(err)
		out := map[domain.ID]bool{}
		for _, one := range list {
			if out[one.ID] = one.Register; one.Carrier != domain.CarrierSIP || one.Password != "secret" {
				t.Errorf("trunk %+v is kept up", one)
			}
		}
		if registers, there := out[watched]; registers || !there {
			t.Errorf("node %s watches %v, want %s too", epoch, out, watched)
		}
		delete(out, watched)
		return out
	}
	if got := kept(nodes[0]); len(got) != 0 {
		t.Errorf("a node that has not joined registers %d trunks", len(got))
	}
	join(nodes[0])
	alone := kept(nodes[0])
	if len(alone) != registering {
		t.Errorf("the only node registers %d trunks, want %d", len(alone), registering)
	}
	join(nodes[1])
	first, second := kept(nodes[0]), kept(nodes[1])
	for id := range alone {
		if first[id] == second[id] {
			t.Errorf("trunk %s is registered by both nodes or by none: %v", id, first[id])
		}
	}
	if len(first)+len(second) != registering {
		t.Errorf("%d and %d trunks are registered, want %d", len(first), len(second), registering)
	}
	k.ok(k.store.InTx(t.Context(), domain.LaneAPI, func(ctx context.Context, s *domain.Stores) error { return s.Nodes.Leave(ctx, nodes[0]) }))
	if got := kept(nodes[1]); len(got) != registering {
		t.Errorf("the node that stays registers %d trunks, want %d", len(got), registering)
	}
}

func TestTrunkStatus(t *testing.T) {
	k := newKit(t)
	one := &domain.Trunk{ID: "one"}
	if _, known := k.TrunkStatus(one); known {
		t.Error("a process that keeps no trunks knows how they stand")
	}
	want := domain.TrunkStatus{State: domain.TrunkFailed, Error: "no"}
	k.AttachTrunks(states{"one": want})
	if got, known := k.TrunkStatus(one); !known || got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if _, known := k.TrunkStatus(&domain.Trunk{ID: "two"}); known {
		t.Error("another trunk is known")
	}
}

// TestTrunkTransports checks what a trunk may say of its transport.
func TestTrunkTransports(t *testing.T) {
	k := newKit(t)
	for transport, port := range map[string]int{"udp": 5060, "tcp": 5060, "tls": 5061} {
		made, err := k.CreateTrunk(t.Context(), k.prod, service.TrunkChange{Name: given("A carrier"), Host: given("h.example"), Transport: given(transport)}, nil)
		k.ok(err)
		if made.Port != port {
			t.Errorf("%s: port %d, want %d", transport, made.Port, port)
		}
	}
	_, err := k.CreateTrunk(t.Context(), k.prod, service.TrunkChange{Name: given("A carrier"), Host: given("h.example"), Register: given(true)}, nil)
	if domain.CodeOf(err) != domain.CodeInvalid || !slices.Contains([]string{"username is required for a trunk that registers"}, fmt.Sprint(err)) {
		t.Errorf("a trunk that registers as nobody: %v", err)
	}
}

func given[T any](v T) service.Change[T] { return &v }
