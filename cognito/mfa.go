package cognito

import "encoding/json"

// GetUserPoolMfaConfigInput names a pool.
type GetUserPoolMfaConfigInput struct {
	UserPoolID string `json:"UserPoolId,omitempty"`
}

// GetUserPoolMfaConfigOutput is the pool's MFA configuration. It concerns users, and there are none here: it is kept
// because Terraform reads it of every pool.
type GetUserPoolMfaConfigOutput struct {
	MfaConfiguration string
	MfaSettings
}

// SetUserPoolMfaConfigInput replaces the MFA configuration of a pool.
type SetUserPoolMfaConfigInput struct {
	UserPoolID       string `json:"UserPoolId,omitempty"`
	MfaConfiguration string `json:",omitempty"`
	MfaSettings
}

// SetUserPoolMfaConfigOutput is the configuration as it is now.
type SetUserPoolMfaConfigOutput GetUserPoolMfaConfigOutput

// MfaSettings are kept and given back. Each is the JSON of Cognito's structure of that name.
type MfaSettings struct {
	SmsMfaConfiguration           json.RawMessage `json:",omitempty"`
	SoftwareTokenMfaConfiguration json.RawMessage `json:",omitempty"`
	EmailMfaConfiguration         json.RawMessage `json:",omitempty"`
	WebAuthnConfiguration         json.RawMessage `json:",omitempty"`
}

func (s *snapshot) getUserPoolMfaConfig(in GetUserPoolMfaConfigInput) (GetUserPoolMfaConfigOutput, error) {
	p, err := s.pool(in.UserPoolID)
	if err != nil {
		return GetUserPoolMfaConfigOutput{}, err
	}
	return GetUserPoolMfaConfigOutput{p.MfaConfiguration, detach(p.MFA)}, nil
}

func (d *draft) setUserPoolMfaConfig(in SetUserPoolMfaConfigInput) (SetUserPoolMfaConfigOutput, error) {
	old, err := d.view.pool(in.UserPoolID)
	if err != nil {
		return SetUserPoolMfaConfigOutput{}, err
	}
	p := poolBody{UserPool: old.UserPool, MFA: withoutNulls(in.MfaSettings)}
	if p.MfaConfiguration = in.MfaConfiguration; p.MfaConfiguration == "" {
		p.MfaConfiguration = "OFF"
	}
	p.LastModifiedDate = d.now
	out := SetUserPoolMfaConfigOutput{p.MfaConfiguration, p.MFA}
	d.noteReset(SetUserPoolMfaConfigOutput{old.MfaConfiguration, old.MFA}, in, out)
	d.put(KindPool, p.ID, p.ID, p)
	return out, nil
}
