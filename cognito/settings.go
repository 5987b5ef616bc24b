package cognito

import (
	"encoding/json"
	"reflect"
)

// PoolSettings are the settings of a pool that concern users and not machines. They are checked for type and limits,
// kept, and given back; nothing here acts on them. Each is the JSON of Cognito's structure of that name.
type PoolSettings struct {
	Policies                    json.RawMessage `json:",omitempty"`
	LambdaConfig                json.RawMessage `json:",omitempty"`
	AutoVerifiedAttributes      json.RawMessage `json:",omitempty"`
	SmsVerificationMessage      json.RawMessage `json:",omitempty"`
	EmailVerificationMessage    json.RawMessage `json:",omitempty"`
	EmailVerificationSubject    json.RawMessage `json:",omitempty"`
	VerificationMessageTemplate json.RawMessage `json:",omitempty"`
	SmsAuthenticationMessage    json.RawMessage `json:",omitempty"`
	UserAttributeUpdateSettings json.RawMessage `json:",omitempty"`
	DeviceConfiguration         json.RawMessage `json:",omitempty"`
	EmailConfiguration          json.RawMessage `json:",omitempty"`
	SmsConfiguration            json.RawMessage `json:",omitempty"`
	AdminCreateUserConfig       json.RawMessage `json:",omitempty"`
	UserPoolAddOns              json.RawMessage `json:",omitempty"`
	AccountRecoverySetting      json.RawMessage `json:",omitempty"`
	KeyConfiguration            json.RawMessage `json:",omitempty"`
	DcrConfiguration            json.RawMessage `json:",omitempty"`
	AcrConfiguration            json.RawMessage `json:",omitempty"`
}

// PoolCreateSettings are those of the settings that only CreateUserPool takes; an update leaves them as they are.
type PoolCreateSettings struct {
	Schema                json.RawMessage `json:",omitempty"` // in an input: attributes beside the standard ones
	SchemaAttributes      json.RawMessage `json:",omitempty"` // in an output: all attributes
	AliasAttributes       json.RawMessage `json:",omitempty"`
	UsernameAttributes    json.RawMessage `json:",omitempty"`
	UsernameConfiguration json.RawMessage `json:",omitempty"`
}

// withoutNulls returns the settings without those that are the JSON null, which is what Go makes of a member that is null: it is
// the same as absent, as in the JSON API.
func withoutNulls[T PoolSettings | PoolCreateSettings | MfaSettings](settings T) T {
	v := reflect.ValueOf(&settings).Elem()
	for i := range v.NumField() { // each is a json.RawMessage
		if string(v.Field(i).Bytes()) == "null" {
			v.Field(i).SetBytes(nil)
		}
	}
	return settings
}

// setDefaults gives what was omitted the value that DescribeUserPool shows for it. Terraform plans a change for every
// default that is missing.
func (s *PoolSettings) setDefaults() {
	*s = withoutNulls(*s)
	for _, d := range []struct {
		setting *json.RawMessage
		value   string
	}{
		{&s.Policies, `{"PasswordPolicy":{"MinimumLength":8,"RequireUppercase":true,"RequireLowercase":true,"RequireNumbers":true,"RequireSymbols":true,"TemporaryPasswordValidityDays":7},"SignInPolicy":{"AllowedFirstAuthFactors":["PASSWORD"]}}`},
		{&s.LambdaConfig, `{}`},
		{&s.VerificationMessageTemplate, `{"DefaultEmailOption":"CONFIRM_WITH_CODE"}`},
		{&s.UserAttributeUpdateSettings, `{"AttributesRequireVerificationBeforeUpdate":[]}`},
		{&s.EmailConfiguration, `{"EmailSendingAccount":"COGNITO_DEFAULT"}`},
		{&s.AdminCreateUserConfig, `{"AllowAdminCreateUserOnly":false,"UnusedAccountValidityDays":7}`},
		{&s.AccountRecoverySetting, `{"RecoveryMechanisms":[{"Priority":1,"Name":"verified_email"},{"Priority":2,"Name":"verified_phone_number"}]}`},
	} {
		if len(*d.setting) == 0 {
			*d.setting = json.RawMessage(d.value)
		}
	}
}

// attribute is an attribute of a user in a pool's schema.
type attribute struct {
	Name                       string
	AttributeDataType          string
	DeveloperOnlyAttribute     bool
	Mutable                    *bool `json:",omitempty"`
	Required                   bool
	StringAttributeConstraints json.RawMessage `json:",omitempty"`
	NumberAttributeConstraints json.RawMessage `json:",omitempty"`
}

// standardAttributes returns the attributes that every pool has, in the order in which Cognito lists them.
func standardAttributes() []attribute {
	fixed, free := false, true
	text := func(name, bounds string) attribute {
		return attribute{Name: name, AttributeDataType: "String", Mutable: &free, StringAttributeConstraints: json.RawMessage(bounds)}
	}
	flag := func(name string) attribute {
		return attribute{Name: name, AttributeDataType: "Boolean", Mutable: &free}
	}
	const usual = `{"MinLength":"0","MaxLength":"2048"}`
	all := []attribute{text("sub", `{"MinLength":"1","MaxLength":"2048"}`)}
	all[0].Mutable, all[0].Required = &fixed, true
	for _, name := range []string{"name", "given_name", "family_name", "middle_name", "nickname", "preferred_username", "profile", "picture", "website", "email"} {
		all = append(all, text(name, usual))
	}
	all = append(all, flag("email_verified"), text("gender", usual), text("birthdate", `{"MinLength":"10","MaxLength":"10"}`),
		text("zoneinfo", usual), text("locale", usual), text("phone_number", usual), flag("phone_number_verified"), text("address", usual))
	return append(all, attribute{Name: "updated_at", AttributeDataType: "Number", Mutable: &free, NumberAttributeConstraints: json.RawMessage(`{"MinValue":"0"}`)})
}

// withStandardAttributes turns the Schema of a request into the SchemaAttributes of the answer: a standard attribute is
// overridden in place, any other is a custom one.
func (s PoolCreateSettings) withStandardAttributes() PoolCreateSettings {
	all := standardAttributes()
	standard := make(map[string]int, len(all))
	for i, a := range all {
		standard[a.Name] = i
	}
	var asked []attribute
	s = withoutNulls(s)
	_ = json.Unmarshal(s.Schema, &asked) // it was checked against its shape; what is empty asks for nothing
	for _, a := range asked {
		if i, ok := standard[a.Name]; ok {
			all[i].Required = a.Required
			if a.Mutable != nil {
				all[i].Mutable = a.Mutable
			}
			continue
		}
		a.Name = "custom:" + a.Name
		all = append(all, a)
	}
	s.Schema = nil
	s.SchemaAttributes, _ = json.Marshal(all) // strings, booleans and checked JSON always marshal
	return s
}
