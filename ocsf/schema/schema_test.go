// Copyright 2026 The Daybreak Authors
// SPDX-License-Identifier: Apache-2.0

package schema_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/daybreak-sec/daybreak/ocsf/schema"
)

// compiled is a small schema of our own in the compiler's form.
const compiled = `{"version":"9.9.9",
"categories":{"attributes":{"cooking":{"uid":4,"caption":"Cooking","description":"left out"}}},
"dictionary":{"types":{"attributes":{
  "string_t":{"caption":"S"},"integer_t":{"caption":"I"},
  "heat_t":{"type":"integer_t","range":[0,300],"observable":7},
  "word_t":{"type":"string_t","max_len":9,"regex":"^[a-z]+$"},
  "far_t":{"type":"string_t","extension":"win"}}}},
"classes":{
  "baking":{"name":"baking","caption":"Baking","category":"cooking","uid":4002,"profiles":["oven","linux/x"],"constraints":{"at_least_one":["cake","far"]},
    "attributes":{
      "class_uid":{"type":"integer_t","requirement":"required","enum":{"4002":{"caption":"Baking"}}},
      "degrees":{"type":"heat_t","requirement":"required","profiles":["oven"]},
      "kind_id":{"type":"integer_t","requirement":"recommended","sibling":"kind","enum":{"99":{"caption":"Other"},"0":{"caption":"Unknown"},"10":{"caption":"Ten = X"}}},
      "cake":{"type":"object_t","object_type":"cake","is_array":true,"requirement":"optional"},
      "far":{"type":"far_t","extension":"win","requirement":"optional"},
      "linux/x":{"type":"string_t","requirement":"optional"}}},
  "frying":{"name":"frying","caption":"Frying","category":"cooking","uid":4001,"profiles":null,
    "attributes":{"kind_id":{"type":"integer_t","requirement":"recommended"}}},
  "away":{"name":"away","caption":"A","category":"cooking","uid":4003,"extension":"win","attributes":{}}},
"objects":{
  "cake":{"name":"cake","observable":24,"constraints":{"just_one":["name","uid"]},
    "attributes":{"name":{"type":"word_t","requirement":"recommended","observable":38},"uid":{"type":"string_t","requirement":"recommended"},
      "inner":{"type":"object_t","object_type":"cake","requirement":"optional"}}}}}`

const want = `version	9.9.9
type	heat_t	integer_t	7		0..300	
type	integer_t					
type	string_t					
type	word_t	string_t		9		^[a-z]+$
category	4	cooking	Cooking
attr	kind_id	integer_t				
attr	cake	object_t[]	cake			
attr	class_uid	integer_t				
attr	degrees	heat_t				
enum	1	0=Unknown	10=Ten = X	99=Other
attr	kind_id#2	integer_t		1	kind	
attr	inner	object_t	cake			
attr	name	word_t				38
attr	uid	string_t				
class	4001	frying	Frying	cooking			kind_id
class	4002	baking	Baking	cooking	oven	at_least_one=cake	cake? class_uid! degrees!@oven kind_id#2
object	cake	24	just_one=name,uid	inner? name uid
`

func TestCompile(t *testing.T) {
	text, err := schema.Compile([]byte(compiled))
	if err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(string(text), "\n")
	if diff := cmp.Diff(want, body); diff != "" {
		t.Fatalf("(-want +got)\n%s", diff)
	}
	s, err := schema.Parse(string(text))
	if err != nil {
		t.Fatal(err)
	}
	baking := s.Class(4002)
	degrees, _ := baking.Attr("degrees")
	kind, _ := baking.Attr("kind_id")
	cake, _ := baking.Attr("cake")
	caption, _ := kind.Enum.Caption(10)
	inner, _ := cake.Object.Attr("inner")
	name, _ := cake.Object.Attr("name")
	uid, _ := cake.Object.Attr("uid")
	got := []any{
		degrees.Requirement, degrees.Profile, degrees.Observable, degrees.Type.Max, degrees.Type.IsNumber(),
		caption, cake.Array, inner.Object == cake.Object, name.Observable, name.Type.IsString(), uid.Observable, s.Class(4001).Category.Caption,
	}
	if diff := cmp.Diff([]any{schema.Required, "oven", 7, int64(300), true, "Ten = X", true, true, 38, true, 0, "Cooking"}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestCompileRefuses(t *testing.T) {
	for _, raw := range []string{"", "[]", "{}", `{"version":1}`} {
		if _, err := schema.Compile([]byte(raw)); err == nil {
			t.Errorf("compiled %q", raw)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"nonsense\tx":                                "line 1",
		"# a remark\nversion":                        `line 2: not a "version" line`,
		"attr\ta\tno_t\t\t\t\t":                      `of a type "no_t"`,
		"type\ts_t\t\t\t\t\t\nattr\ta\ts_t\t\t8\t\t": `of an enum "8"`,
		"enum\t1\tx":                                 "without a caption",
		"class\tx\tn\tN\t\t\t\t":                     "invalid syntax",
		"class\t1\tn\tN\t\t\t\tmissing":              `attribute "missing"`,
		"class\t1\tn\tN\t\t\tat_most=a\t":            `constraint "at_most"`,
		"attr\ta\tobject_t\tghost\t\t\t":             "object ghost is mentioned",
	} {
		if _, err := schema.Parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
}

// TestFacts compares a few facts with what https://schema.ocsf.io/1.8.0 shows.
func TestFacts(t *testing.T) {
	s := schema.Load()
	if s.Version != "1.8.0" || len(s.Classes) != 76 || len(s.Objects) != 174 {
		t.Errorf("version %s with %d classes and %d objects, want 1.8.0, 76 and 174", s.Version, len(s.Classes), len(s.Objects))
	}
	logon := s.Class(3002)
	user, _ := logon.Attr("user")
	activity, _ := logon.Attr("activity_id")
	ip, _ := s.Objects["network_endpoint"].Attr("ip")
	caption, _ := activity.Enum.Caption(2)
	got := []any{logon.Caption, user.Requirement, user.Object.Name, caption, ip.Type.Name, ip.Observable, logon.AtLeastOne}
	if diff := cmp.Diff([]any{"Authentication", schema.Required, "user", "Logoff", "ip_t", 2, []string{"service", "dst_endpoint"}}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func BenchmarkParse(b *testing.B) {
	for b.Loop() {
		if _, err := schema.Parse(schema.Text()); err != nil {
			b.Fatal(err)
		}
	}
}
