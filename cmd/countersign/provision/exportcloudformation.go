package provision

import (
	"strings"
)

// cloudFormation returns a template. The pool is retained when the stack goes, as deletion protection asks for anyway.
func cloudFormation(w Want) object {
	resources := object{
		"UserPool": object{
			"Type": "AWS::Cognito::UserPool", "DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain",
			"Properties": object{
				"UserPoolName": w.Pool.Name, "DeletionProtection": string(protection(w.Pool.Protected)),
				"UserPoolTags":          object{ServiceTag: w.Service},
				"AdminCreateUserConfig": object{"AllowAdminCreateUserOnly": true},
			},
		},
		"UserPoolDomain": object{
			"Type":       "AWS::Cognito::UserPoolDomain",
			"Properties": object{"Domain": w.Pool.Domain, "UserPoolId": ref("UserPool")},
		},
		"ResourceServer": object{
			"Type": "AWS::Cognito::UserPoolResourceServer",
			"Properties": object{
				"UserPoolId": ref("UserPool"), "Identifier": w.Server.Identifier, "Name": w.Server.Name,
				"Scopes": exportedScopes(w, "ScopeName", "ScopeDescription", plain),
			},
		},
	}
	outputs := object{
		"UserPoolId":    object{"Value": ref("UserPool")},
		"Issuer":        object{"Value": object{"Fn::Sub": issuerSub}},
		"TokenEndpoint": object{"Value": object{"Fn::Sub": tokenEndpointSub}},
	}
	for _, c := range w.exported() {
		resources["Client"+c.key] = cloudFormationClient(c)
		outputs["Client"+c.key+"Id"] = object{"Value": ref("Client" + c.key)}
		if c.inSecretsManager() {
			resources["Secret"+c.key] = cloudFormationSecret(w, c)
		}
	}
	return object{
		"AWSTemplateFormatVersion": "2010-09-09",
		"Description":              "User pool, scopes and app clients of " + w.Service,
		"Resources":                resources,
		"Outputs":                  outputs,
	}
}

const (
	issuerSub        = "https://cognito-idp.${AWS::Region}.amazonaws.com/${UserPool}"
	tokenEndpointSub = "https://${UserPoolDomain}.auth.${AWS::Region}.amazoncognito.com/oauth2/token"
)

func cloudFormationClient(c exported) object {
	return object{
		"Type": "AWS::Cognito::UserPoolClient", "DependsOn": "ResourceServer", // ScopeDoesNotExistException otherwise
		"Properties": object{
			"UserPoolId": ref("UserPool"), "ClientName": c.Name, "GenerateSecret": true,
			"AllowedOAuthFlows": []string{string(flow)}, "AllowedOAuthFlowsUserPoolClient": true, "AllowedOAuthScopes": c.Scopes,
			"AccessTokenValidity": c.validity, "TokenValidityUnits": object{"AccessToken": string(c.unit)},
			"ExplicitAuthFlows": explicitFlows,
		},
	}
}

// cloudFormationSecret has its value put together by CloudFormation: the template holds no secret.
func cloudFormationSecret(w Want, c exported) object {
	value, _ := encode(object{ // strings always encode
		"client_id": "${Client" + c.key + "}", "client_secret": "${Secret}", "token_endpoint": tokenEndpointSub, "issuer": issuerSub,
		"scope": strings.ReplaceAll(strings.Join(c.Scopes, " "), "${", "${!"),
	})
	return object{
		"Type": "AWS::SecretsManager::Secret", "DeletionPolicy": "Delete", "UpdateReplacePolicy": "Delete",
		"Properties": object{
			"Name": c.Secret.SecretsManager, "Description": c.description(w),
			"SecretString": object{"Fn::Sub": []any{
				string(value), object{"Secret": object{"Fn::GetAtt": []string{"Client" + c.key, "ClientSecret"}}},
			}},
			"Tags": []object{{"Key": ServiceTag, "Value": w.Service}, {"Key": clientTag, "Value": c.Name}, {"Key": PoolTag, "Value": ref("UserPool")}},
		},
	}
}

func ref(name string) object { return object{"Ref": name} }

func plain(text string) string { return text }

func exportedScopes(w Want, name, description string, quote func(string) string) []object {
	scopes := []object{}
	for _, s := range w.Server.Scopes {
		scopes = append(scopes, object{name: quote(s.Name), description: quote(s.Description)})
	}
	return scopes
}
