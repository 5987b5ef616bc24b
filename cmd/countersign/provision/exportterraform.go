package provision

import (
	"encoding/json"
	"strings"
)

// terraform returns a configuration in Terraform's JSON syntax, for a file whose name ends in .tf.json.
func terraform(w Want) object {
	clients, secrets, versions := object{}, object{}, object{}
	for _, c := range w.exported() {
		key := "client_" + strings.ToLower(c.key)
		clients[key] = terraformClient(c)
		if !c.inSecretsManager() {
			continue
		}
		secrets[key] = object{
			"name": literal(c.Secret.SecretsManager), "description": literal(c.description(w)),
			"tags": object{ServiceTag: literal(w.Service), clientTag: literal(c.Name), PoolTag: poolID},
		}
		versions[key] = object{
			"secret_id": "${aws_secretsmanager_secret." + key + ".id}", "secret_string": terraformValue(key, c),
		}
	}
	resources := object{
		"aws_cognito_user_pool": object{"pool": object{
			"name": literal(w.Pool.Name), "deletion_protection": string(protection(w.Pool.Protected)),
			"admin_create_user_config": object{"allow_admin_create_user_only": true},
			"tags":                     object{ServiceTag: literal(w.Service)},
		}},
		"aws_cognito_user_pool_domain": object{"pool": object{
			"domain": literal(w.Pool.Domain), "user_pool_id": poolID,
		}},
		"aws_cognito_resource_server": object{"api": object{
			"identifier": literal(w.Server.Identifier), "name": literal(w.Server.Name), "user_pool_id": poolID,
			"scope": exportedScopes(w, "scope_name", "scope_description", literal),
		}},
	}
	for name, of := range map[string]object{
		"aws_cognito_user_pool_client": clients, "aws_secretsmanager_secret": secrets, "aws_secretsmanager_secret_version": versions,
	} {
		if len(of) > 0 {
			resources[name] = of
		}
	}
	document := object{
		"terraform": object{"required_providers": object{"aws": object{"source": "hashicorp/aws", "version": ">= 5.0"}}},
		"resource":  resources,
		"output": object{
			"issuer":         object{"value": "${local.issuer}"},
			"token_endpoint": object{"value": "${local.token_endpoint}"},
		},
		"locals": object{
			"issuer":         "https://${aws_cognito_user_pool.pool.endpoint}",
			"token_endpoint": "https://${aws_cognito_user_pool_domain.pool.domain}.auth." + regionOf(w) + ".amazoncognito.com/oauth2/token",
		},
	}
	if w.Region != "" {
		document["provider"] = object{"aws": object{"region": w.Region}}
	} else {
		document["data"] = object{"aws_region": object{"current": object{}}}
	}
	return document
}

const poolID = "${aws_cognito_user_pool.pool.id}"

func regionOf(w Want) string {
	if w.Region != "" {
		return w.Region
	}
	return "${data.aws_region.current.name}"
}

func terraformClient(c exported) object {
	scopes := []string{}
	for _, scope := range c.Scopes {
		scopes = append(scopes, literal(scope))
	}
	return object{
		"name": literal(c.Name), "user_pool_id": poolID, "generate_secret": true,
		"allowed_oauth_flows": []string{string(flow)}, "allowed_oauth_flows_user_pool_client": true, "allowed_oauth_scopes": scopes,
		"access_token_validity": c.validity, "token_validity_units": object{"access_token": string(c.unit)},
		"explicit_auth_flows": explicitFlows,
		"depends_on":          []string{"aws_cognito_resource_server.api"}, // ScopeDoesNotExistException otherwise
	}
}

// terraformValue is an expression: Terraform reads the secret from Cognito. Its state holds the secret in clear, whatever the
// configuration says.
func terraformValue(key string, c exported) string {
	scope, _ := json.Marshal(literal(strings.Join(c.Scopes, " "))) // a string always encodes
	client := "aws_cognito_user_pool_client." + key
	return "${jsonencode({client_id = " + client + ".id, client_secret = " + client + ".client_secret, " +
		"token_endpoint = local.token_endpoint, issuer = local.issuer, scope = " + string(scope) + "})}"
}

// literal escapes what Terraform's JSON syntax would read as a template.
func literal(text string) string {
	return strings.NewReplacer("${", "$${", "%{", "%%{").Replace(text)
}
