package klen

import (
	"encoding/json"

	"github.com/danielgtaylor/huma/v2"

	"github.com/callwright/callwright/internal/domain"
)

// AnyID is an id in a request. Ids are strings here; clients that have known
// others also send numbers, which name nothing that there is.
type AnyID domain.ID

// UnmarshalJSON takes a string, or the digits of a number.
func (id *AnyID) UnmarshalJSON(raw []byte) error {
	if len(raw) > 0 && raw[0] != '"' {
		*id = AnyID(raw)
		return nil
	}
	return json.Unmarshal(raw, (*string)(id))
}

// Schema is a string, an integer or null.
func (AnyID) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{OneOf: []*huma.Schema{{Type: huma.TypeString, Nullable: true}, {Type: huma.TypeInteger}}}
}
