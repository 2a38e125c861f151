package carrier

import (
	"context"
	"fmt"
	"sync"

	"github.com/callwright/callwright/internal/callee"
	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/trunk"
)

// Sandbox reaches every number: it leads to the simulated phone of this
// process, which is started with the first call.
type Sandbox struct {
	open func() (*callee.Phone, error)

	mu    sync.Mutex
	phone *callee.Phone

	texting
}

// NewSandbox returns the sandbox carrier; open starts its phone.
func NewSandbox(open func() (*callee.Phone, error)) *Sandbox {
	return &Sandbox{open: open, texting: newTexting()}
}

// Name returns "sandbox".
func (s *Sandbox) Name() string { return domain.CarrierSandbox }

// Route addresses the number at the simulated phone.
func (s *Sandbox) Route(_ context.Context, _ domain.Trunk, number string) (trunk.Route, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.phone == nil {
		phone, err := s.open()
		if err != nil {
			return trunk.Route{}, fmt.Errorf("start the simulated phone: %w", err)
		}
		s.phone = phone
	}
	return trunk.Route{URI: fmt.Sprintf("sip:%s@%s", number, s.phone.Addr())}, nil
}

// Close hangs the simulated phone up, and loses what it has not told of messages.
func (s *Sandbox) Close() error {
	s.texting.close()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.phone == nil {
		return nil
	}
	err := s.phone.Close()
	s.phone = nil
	return err
}

var _ trunk.Carrier = (*Sandbox)(nil)
