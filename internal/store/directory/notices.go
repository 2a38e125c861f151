package directory

import (
	"github.com/uptrace/bun"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/store/row"
)

type noticeRow struct {
	bun.BaseModel `bun:"table:notices"`
	head
	Kind      domain.NoticeKind
	SubjectID domain.ID
	Text      string
}

var _ record[domain.Notice] = (*noticeRow)(nil)

// NewNotices keeps notices.
func NewNotices(db bun.IDB) domain.Collection[domain.Notice] {
	return newCollection[domain.Notice, noticeRow](db, "Notice")
}

func (r *noticeRow) fill(n *domain.Notice) {
	*r = noticeRow{
		head: head{
			ID: n.ID, WorkspaceID: n.WorkspaceID, Mode: n.Mode, Version: n.Version,
			CreatedAt: row.At(n.CreatedAt), UpdatedAt: row.At(n.UpdatedAt),
		},
		Kind: n.Kind, SubjectID: n.SubjectID, Text: n.Text,
	}
}

func (r *noticeRow) domain() domain.Notice {
	return domain.Notice{
		ID: r.ID, WorkspaceID: r.WorkspaceID, Mode: r.Mode, Version: r.Version,
		CreatedAt: r.CreatedAt.Time(), UpdatedAt: r.UpdatedAt.Time(),
		Kind: r.Kind, SubjectID: r.SubjectID, Text: r.Text,
	}
}
