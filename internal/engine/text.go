package engine

import (
	"context"
	"errors"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/service/messaging"
)

// textTime is how long a caller waits for the database to take a message.
const textTime = 5 * time.Second

// text performs the arguments of a flow.Do of kind sms: it has a text message
// sent, and returns it as a flow's variables show it. That it was taken is on
// disk; what its carrier says comes later.
func (c *call) text(ctx context.Context, args map[string]any) (map[string]any, error) {
	to, _ := args["to"].(string)
	text, _ := args["text"].(string)
	ctx, cancel := context.WithTimeout(ctx, textTime)
	defer cancel()
	m, err := c.engine.o.Service.SendInCall(ctx, c.dial.Call.ID, messaging.SendRequest{To: to, Text: text})
	if err != nil {
		c.log.Warn("a text message was not sent", "err", err)
		var known *domain.Error
		if errors.As(err, &known) && known.Code != domain.CodeInternal {
			return nil, errors.New("the text message was not sent: " + known.Message)
		}
		return nil, errors.New("the text message was not sent: something went wrong on our end")
	}
	return map[string]any{
		"id": string(m.ID), "from": m.From, "to": m.To, "text": m.Text, "status": string(m.Status), "segments": m.Segments,
	}, nil
}
