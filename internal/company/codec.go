package company

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// recordVersion is the first byte of a record. History: 1, the layout of Encode.
const recordVersion = 1

// The flags say which integers and which times a record contains, and whether it contains attributes.
var (
	hasAttributes = byte(1) << (len(intFields) + len(timeFields))
	hasAll        = hasAttributes<<1 - 1
)

var errRecord = errors.New("damaged company record")

// Encode encodes the record without Number and Connections: the version, the flags, the id, the texts, the lists, and
// what the flags announce. Equal records have equal bytes. Attributes that JSON cannot represent are left out.
func Encode(c *Company) []byte {
	attributes := encodeAttributes(c.Attributes)
	p := make([]byte, 0, 160+len(c.Description)+len(c.Website)+len(attributes))
	p = append(p, recordVersion, flagsOf(c, attributes))
	p = append(p, c.ID.UUID[:]...)
	for _, f := range textFields {
		p = appendText(p, *f.Text(c))
	}
	for _, f := range listFields {
		list := *f.List(c)
		p = binary.AppendUvarint(p, uint64(len(list)))
		for _, s := range list {
			p = appendText(p, s)
		}
	}
	for _, f := range intFields {
		if n := *f.Int(c); n != nil {
			p = binary.AppendVarint(p, *n)
		}
	}
	for _, f := range timeFields {
		if t := f.Time(c); !t.IsZero() {
			p = binary.AppendVarint(p, t.UnixMicro())
		}
	}
	if attributes != nil {
		p = appendText(p, string(attributes))
	}
	return p
}

// Decode decodes a record into c, except Number and Connections. Numbers in the attributes become
// json.Number. Damaged bytes are an error, never a panic; c is then partly filled. It keeps no reference to p.
func Decode(p []byte, c *Company) error {
	if len(p) < 2+len(c.ID.UUID) {
		return fmt.Errorf("decode company: %w", errRecord)
	}
	if p[0] != recordVersion || p[1] > hasAll {
		return fmt.Errorf("decode company: version %d, flags %#x: %w", p[0], p[1], errRecord)
	}
	flags := p[1]
	copy(c.ID.UUID[:], p[2:])
	r := reader{rest: string(p[2+len(c.ID.UUID):])}
	for _, f := range textFields {
		*f.Text(c) = r.text()
	}
	for _, f := range listFields {
		*f.List(c) = r.list()
	}
	flag := byte(1)
	for _, f := range intFields {
		*f.Int(c) = r.number(flags & flag)
		flag <<= 1
	}
	for _, f := range timeFields {
		*f.Time(c) = r.time(flags & flag)
		flag <<= 1
	}
	c.Attributes = r.attributes(flags & flag)
	if r.bad || r.rest != "" {
		return fmt.Errorf("decode company: %w", errRecord)
	}
	return nil
}

func flagsOf(c *Company, attributes []byte) (flags byte) {
	flag := byte(1)
	for _, fields := range [...][]*Field{intFields, timeFields} {
		for _, f := range fields {
			if f.Known(c) {
				flags |= flag
			}
			flag <<= 1
		}
	}
	if attributes != nil {
		flags |= flag
	}
	return flags
}

func appendText(p []byte, s string) []byte {
	return append(binary.AppendUvarint(p, uint64(len(s))), s...)
}

func encodeAttributes(attributes map[string]any) []byte {
	if len(attributes) == 0 {
		return nil
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if enc.Encode(attributes) == nil {
		return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
	}
	sound := make(map[string]any, len(attributes))
	for k, v := range attributes {
		if _, err := json.Marshal(v); err == nil {
			sound[k] = v
		}
	}
	return encodeAttributes(sound)
}

// reader reads values from the start of a record; after the first damage every value is zero.
type reader struct {
	rest string
	bad  bool
}

func (r *reader) uvarint() uint64 {
	var v uint64
	for i := range min(len(r.rest), binary.MaxVarintLen64) {
		b := r.rest[i]
		v |= uint64(b&0x7f) << (7 * i)
		if b < 0x80 {
			r.rest = r.rest[i+1:]
			return v
		}
	}
	r.bad, r.rest = true, ""
	return 0
}

func (r *reader) varint() int64 {
	u := r.uvarint()
	return int64(u>>1) ^ -int64(u&1)
}

func (r *reader) text() string {
	n := r.uvarint()
	if n > uint64(len(r.rest)) {
		r.bad, r.rest = true, ""
		return ""
	}
	s := r.rest[:n]
	r.rest = r.rest[n:]
	return s
}

func (r *reader) list() []string {
	n := r.uvarint()
	if n == 0 {
		return nil
	}
	if n > uint64(len(r.rest)) { // each value takes at least one byte
		r.bad, r.rest = true, ""
		return nil
	}
	list := make([]string, n)
	for i := range list {
		list[i] = r.text()
	}
	return list
}

func (r *reader) number(present byte) *int64 {
	if present == 0 {
		return nil
	}
	n := r.varint()
	return &n
}

func (r *reader) time(present byte) time.Time {
	if present == 0 {
		return time.Time{}
	}
	return time.UnixMicro(r.varint()).UTC()
}

func (r *reader) attributes(present byte) map[string]any {
	if present == 0 {
		return nil
	}
	dec := json.NewDecoder(bytes.NewReader([]byte(r.text())))
	dec.UseNumber()
	var attributes map[string]any
	if err := dec.Decode(&attributes); err != nil {
		r.bad = true
		return nil
	}
	return attributes
}
