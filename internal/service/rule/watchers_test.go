package rule

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/callwright/callwright/internal/domain"
)

// TestWatchers: places are bounded, in all and for each workspace.
func TestWatchers(t *testing.T) {
	w := NewWatchers()
	for range maxWorkspaceWatchers {
		if err := w.Enter("a"); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Enter("a"); domain.CodeOf(err) != domain.CodeUnavailable {
		t.Errorf("one too many of a workspace: %v", err)
	}
	for i := range maxWatchers - maxWorkspaceWatchers {
		if err := w.Enter(domain.ID(fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Enter("b"); domain.CodeOf(err) != domain.CodeUnavailable {
		t.Errorf("one too many in all: %v", err)
	}
	w.Leave("a")
	if err := w.Enter("b"); err != nil {
		t.Error(err)
	}
	w.Leave("b")
	if _, kept := w.of["b"]; kept {
		t.Error("who has left is remembered")
	}
}

// TestWatchersWait: a wait ends with its time, its context or the process.
func TestWatchersWait(t *testing.T) {
	w := NewWatchers()
	if err := w.Wait(t.Context(), time.Millisecond); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.Wait(ctx, time.Hour); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	w.Stop()
	w.Stop()
	if err := w.Wait(t.Context(), time.Hour); domain.CodeOf(err) != domain.CodeUnavailable {
		t.Error(err)
	}
}
