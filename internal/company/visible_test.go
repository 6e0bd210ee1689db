package company_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/company"
	"github.com/opencapi/capi/internal/company/companytest"
)

func TestAFieldThatIsNotListedIsLocked(t *testing.T) {
	t.Parallel()
	require.LessOrEqual(t, len(company.Fields), 64, "a FieldSet is full")
	for _, of := range []struct{ list, locked []string }{
		{nil, nil},
		{[]string{"all"}, nil},
		{[]string{"domain", "Country"}, except("domain", "country")},
		{[]string{"id"}, except()},
	} {
		visible, err := company.ParseVisible(of.list)
		require.NoError(t, err)
		if of.list == nil {
			visible = nil
		}
		require.Equal(t, of.locked, company.LockedBy(visible).Names(), of.list)
	}
	require.Equal(t, except(), company.LockedBy([]string{"a_field_of_an_older_version"}).Names())
}

// except lists the fields that can be locked, without some.
func except(names ...string) (rest []string) {
	left := map[string]bool{"id": true, "name": true, "created_at": true, "updated_at": true}
	for _, name := range names {
		left[name] = true
	}
	for _, f := range company.Fields {
		if !left[f.Name] {
			rest = append(rest, f.Name)
		}
	}
	return rest
}

func TestAListOfFieldsThatDoNotExistIsRefused(t *testing.T) {
	t.Parallel()
	for given, message := range map[string]string{
		"domian": `"domian" is not a field of a company; did you mean domain?`,
		"xyzzyx": `"xyzzyx" is not a field of a company; the fields are id, name,`,
		"all":    "all stands alone; leave the other fields out",
	} {
		_, err := company.ParseVisible([]string{"name", given})
		require.ErrorContains(t, err, message)
	}
}

func TestMaskingLeavesOutExactlyTheLockedFields(t *testing.T) {
	t.Parallel()
	c := companytest.Slice(1, 1)[0]
	fillEvery(c)
	before, err := json.Marshal(c)
	require.NoError(t, err)
	require.Same(t, c, c.Masked(0))
	for _, locked := range company.Fields {
		if company.AlwaysVisible.Has(locked.Name) {
			continue
		}
		t.Run(locked.Name, func(t *testing.T) {
			masked := c.Masked(company.LockedBy(except(locked.Name)))
			for _, f := range company.Fields {
				require.True(t, f.Known(c), f.Name)
				require.Equal(t, f.Name != locked.Name, f.Known(masked), f.Name)
			}
		})
	}
	masked := c.Masked(company.LockedBy([]string{"connections"}))
	require.Equal(t, []company.Connection{{Category: "vendor", Name: "Other"}}, masked.Connections, "the domain of another company is locked, too")
	after, err := json.Marshal(c)
	require.NoError(t, err)
	require.Equal(t, string(before), string(after), "the company itself is not changed")
}

// fillEvery gives the company a value of every field.
func fillEvery(c *company.Company) {
	for i := range company.Fields {
		switch f := &company.Fields[i]; f.Kind {
		case company.KindText:
			*f.Text(c) = "text of " + f.Name
		case company.KindList:
			*f.List(c) = []string{"value of " + f.Name}
		case company.KindInteger:
			*f.Int(c) = new(int64(7))
		case company.KindTime, company.KindID:
		case company.KindConnections:
			c.Connections = []company.Connection{{Category: "vendor", Name: "Other", Domain: "other.test"}}
		case company.KindAttributes:
			c.Attributes = map[string]any{"secret": "value"}
		}
	}
}
