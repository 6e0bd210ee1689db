package embedded

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/company/companytest"
)

func TestAValueIsFoundAsLongAsALiveCompanyHasIt(t *testing.T) {
	t.Parallel()
	s := build(companytest.Slice(1, 3000))
	ix := Open(Options{})
	t.Cleanup(func() { require.NoError(t, ix.Close()) })
	ix.registry.register(s)
	p := newPart(s)
	early := p
	for slot := range uint32(2900) { // more than are checked one by one
		if p.live.has(slot) {
			p.deleted = append(p.deleted, slot)
		}
	}
	late := p
	for _, moment := range []part{early, late, early} {
		dead := map[uint32]bool{}
		for _, slot := range moment.deleted {
			dead[slot] = true
		}
		v := &s.values[fieldCity]
		for key := range v.len() {
			want := false
			v.each(key, func(slot, _ uint32) { want = want || !dead[slot] })
			require.Equal(t, want, moment.anyLive(&v.postings, key), "%s", v.key(key))
		}
	}
}
