package migrations

import (
	"fmt"
	"strings"
	"testing"
)

func TestScan(t *testing.T) {
	for source, want := range map[string]string{
		"a = 1":                     "a = 1 ;",
		"a.b(c, d=e)":               "a . b ( c , d = e ) ;",
		"a = (\n 1,\n)\nb":          "a = ( 1 , ) ; b ;",
		"a \\\n = 1":                "a = 1 ;",
		"a # = 'b'\n#c\n\nd":        "a ; d ;",
		`'a' "b" '''c'd''' """e"`:   "?",
		`'a' "b" '''c'd''' """e"""`: `"a" "b" "c'd" "e" ;`,
		`'a\'b\\' "\"`:              "?",
		`'a\'b\\' "\""`:             `"a'b\\" "\"" ;`,
		`r'\'' R"\n" u'\n'`:         `"\\'" "\\n" "\n" ;`,
		`b'x' Rb"x" f'{a}' fR'a'`:   `~ ~ ~ ~ ;`,
		"'a\\\nb'":                  `"ab" ;`,
		"'''a\nb'''":                `"a\nb" ;`,
		`'\x41\u0042\U00000043\104\7\N{DASH}\q\x4'`: `"ABCD\a\\N{DASH}\\q\\x4" ;`,
		`f'{a["b"]}' c`:                    "~ c ;",
		`f"{a["b"]}" c`:                    "~ c ;",
		`f"{a['}']}" c`:                    "~ c ;",
		`f"{{" c`:                          "~ c ;",
		`f"{a:>{b}}" c`:                    "~ c ;",
		`f"{a:'}" c`:                       "~ c ;",
		`f"{f"{f"{1}"}"}" c`:               "~ c ;",
		`f"{(lambda x: {"}": 1})(2)!r}" c`: "~ c ;",
		"f'''{\na # }'''\n}''' c":          "~ c ;",
		`f'{a}' "b"`:                       `~ "b" ;`,
		"fr 'a'":                           `fr "a" ;`,
		"1_000 0x_1F 1e-5 1.5j .5 1. a.5":  "1_000 0x_1F 1e-5 1.5j .5 1. a .5 ;",
		"0xe+1":                            "0xe + 1 ;",
		"1+2":                              "1 + 2 ;",
		"a**=b//c->...:=d!=e":              "a **= b // c -> ... := d != e ;",
		"é_1 = ñ":                          "é_1 = ñ ;",
		"a\rb\r\nc\fd":                     "a ; b ; c d ;",
		"a; b":                             "a ; b ;",
	} {
		tokens, err := scan([]byte(source))
		var got []string
		for _, token := range tokens {
			switch {
			case token.kind == aNewline:
				got = append(got, ";")
			case token.kind == aString && !token.plain:
				got = append(got, "~")
			case token.kind == aString:
				got = append(got, fmt.Sprintf("%q", token.text))
			default:
				got = append(got, token.text)
			}
		}
		if err != nil {
			got = []string{"?"}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s\nis %s\nwant %s", source, strings.Join(got, " "), want)
		}
	}
}

// TestLines looks at where tokens stand: strings over several lines count, and
// tabs indent as Python counts them.
func TestLines(t *testing.T) {
	tokens, err := scan([]byte("a = '''\n\n''' + f'''{\nb}\n'''\n  b\\\n = 2\n\tc = [\n1]\n    \td\n"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, token := range tokens {
		if token.first {
			got = append(got, fmt.Sprintf("%s %d:%d", token.text, token.line, token.column))
		}
	}
	if want := "a 1:0, b 6:2, c 8:8, d 10:8"; strings.Join(got, ", ") != want {
		t.Errorf("got %s, want %s", strings.Join(got, ", "), want)
	}
}
