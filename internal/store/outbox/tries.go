package outbox

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store/row"
)

type tryRow struct {
	bun.BaseModel `bun:"table:tries"`

	DeliveryID domain.ID `bun:",pk"`
	Number     int64     `bun:",pk"`
	At         row.Micros
	StatusCode int
	LatencyMs  int64
	Error      string
	Request    string
	Response   string
}

func newTryRow(t *domain.Try) *tryRow {
	return &tryRow{
		DeliveryID: t.DeliveryID, Number: t.Number, At: row.At(t.At), StatusCode: t.StatusCode, LatencyMs: t.LatencyMs,
		Error: t.Error, Request: t.Request, Response: t.Response,
	}
}

func (r *tryRow) domain() domain.Try {
	return domain.Try{
		DeliveryID: r.DeliveryID, Number: r.Number, At: r.At.Time(), StatusCode: r.StatusCode, LatencyMs: r.LatencyMs,
		Error: r.Error, Request: r.Request, Response: r.Response,
	}
}

// Tries returns the tries of a delivery in order.
func (s *deliveries) Tries(ctx context.Context, delivery domain.ID) ([]domain.Try, error) {
	var rows []tryRow
	err := s.db.NewSelect().Model(&rows).Where("delivery_id = ?", delivery).OrderExpr("number").Scan(ctx)
	return row.Map(rows, (*tryRow).domain), row.Error(err, "list tries")
}
