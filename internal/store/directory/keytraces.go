package directory

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store/row"
)

type keyAddressRow struct {
	bun.BaseModel `bun:"table:key_addresses"`

	KeyID   domain.ID `bun:",pk"`
	Address string    `bun:",pk"`
	FirstAt row.Micros
	LastAt  row.Micros
}

func (r *keyAddressRow) domain() domain.KeyAddress {
	return domain.KeyAddress{KeyID: r.KeyID, Address: r.Address, FirstAt: r.FirstAt.Time(), LastAt: r.LastAt.Time()}
}

type keyFailureRow struct {
	bun.BaseModel `bun:"table:key_failures"`

	KeyID       domain.ID       `bun:",pk"`
	Fault       domain.KeyFault `bun:",pk"`
	Count       int64
	LastAt      row.Micros
	LastAddress string
}

func (r *keyFailureRow) domain() domain.KeyFailure {
	return domain.KeyFailure{KeyID: r.KeyID, Fault: r.Fault, Count: r.Count, LastAt: r.LastAt.Time(), LastAddress: r.LastAddress}
}

type keyTraces struct{ db bun.IDB }

// NewKeyTraces keeps from where keys are used, and what was refused to them.
func NewKeyTraces(db bun.IDB) domain.KeyTraces { return &keyTraces{db} }

// Seen adds addresses and forgets the oldest ones of each key.
func (k *keyTraces) Seen(ctx context.Context, seen ...domain.KeyAddress) error {
	keys := make(map[domain.ID]bool)
	for _, a := range seen {
		_, err := k.db.NewInsert().Model(&keyAddressRow{KeyID: a.KeyID, Address: a.Address, FirstAt: row.At(a.FirstAt), LastAt: row.At(a.LastAt)}).
			On("CONFLICT (key_id, address) DO UPDATE").
			Set("last_at = CASE WHEN excluded.last_at > key_address_row.last_at THEN excluded.last_at ELSE key_address_row.last_at END").
			Exec(ctx)
		if err != nil {
			return row.Error(err, "note an address of a key")
		}
		keys[a.KeyID] = true
	}
	for key := range keys {
		kept := k.db.NewSelect().Model((*keyAddressRow)(nil)).Column("address").Where("key_id = ?", key).
			OrderExpr("last_at DESC, address").Limit(domain.MaxKeyAddresses)
		_, err := k.db.NewDelete().Model((*keyAddressRow)(nil)).Where("key_id = ?", key).Where("address NOT IN (?)", kept).Exec(ctx)
		if err != nil {
			return row.Error(err, "forget addresses of a key")
		}
	}
	return nil
}

// Failed adds to what was refused.
func (k *keyTraces) Failed(ctx context.Context, failures ...domain.KeyFailure) error {
	for _, f := range failures {
		_, err := k.db.NewInsert().Model(&keyFailureRow{KeyID: f.KeyID, Fault: f.Fault, Count: f.Count, LastAt: row.At(f.LastAt), LastAddress: f.LastAddress}).
			On("CONFLICT (key_id, fault) DO UPDATE").
			Set("count = key_failure_row.count + excluded.count").
			Set("last_address = CASE WHEN excluded.last_at >= key_failure_row.last_at THEN excluded.last_address ELSE key_failure_row.last_address END").
			Set("last_at = CASE WHEN excluded.last_at > key_failure_row.last_at THEN excluded.last_at ELSE key_failure_row.last_at END").
			Exec(ctx)
		if err != nil {
			return row.Error(err, "note a refused use of a key")
		}
	}
	return nil
}

// Of returns what is known of a key's use.
func (k *keyTraces) Of(ctx context.Context, key domain.ID) (*domain.KeyTrace, error) {
	var addresses []keyAddressRow
	err := k.db.NewSelect().Model(&addresses).Where("key_id = ?", key).OrderExpr("last_at DESC, address").Limit(domain.MaxKeyAddresses).Scan(ctx)
	if err != nil {
		return nil, row.Error(err, "read the addresses of a key")
	}
	var failures []keyFailureRow
	if err := k.db.NewSelect().Model(&failures).Where("key_id = ?", key).OrderExpr("fault").Scan(ctx); err != nil {
		return nil, row.Error(err, "read what was refused to a key")
	}
	return &domain.KeyTrace{
		Addresses: row.Map(addresses, (*keyAddressRow).domain),
		Failures:  row.Map(failures, (*keyFailureRow).domain),
	}, nil
}
