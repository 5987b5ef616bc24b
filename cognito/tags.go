package cognito

import (
	"maps"
	"strings"
)

// TagResourceInput adds tags to the pool of the ARN. Tags of the same key are replaced.
type TagResourceInput struct {
	ResourceARN string            `json:"ResourceArn,omitempty"`
	Tags        map[string]string `json:",omitempty"`
}

// UntagResourceInput removes tags from the pool of the ARN.
type UntagResourceInput struct {
	ResourceARN string   `json:"ResourceArn,omitempty"`
	TagKeys     []string `json:",omitempty"`
}

// ListTagsForResourceInput names a pool by its ARN.
type ListTagsForResourceInput struct {
	ResourceARN string `json:"ResourceArn,omitempty"`
}

// ListTagsForResourceOutput has the pool's tags, which are also UserPoolTags of Create and Update.
type ListTagsForResourceOutput struct{ Tags map[string]string }

// maxTags: Cognito: 50 tags on a resource.
const maxTags = 50

func checkTags(tags map[string]string) error {
	if len(tags) > maxTags {
		return apiError(CodeInvalidParameter, "A user pool can have at most %d tags.", maxTags)
	}
	return nil
}

func (d *draft) tagResource(in TagResourceInput) (EmptyOutput, error) {
	return d.editTags(in.ResourceARN, func(tags map[string]string) { maps.Copy(tags, in.Tags) })
}

func (d *draft) untagResource(in UntagResourceInput) (EmptyOutput, error) {
	return d.editTags(in.ResourceARN, func(tags map[string]string) {
		for _, key := range in.TagKeys {
			delete(tags, key)
		}
	})
}

func (d *draft) editTags(arn string, edit func(map[string]string)) (EmptyOutput, error) {
	old, err := d.view.taggedPool(arn)
	if err != nil {
		return EmptyOutput{}, err
	}
	p := old.poolBody
	if p.UserPoolTags = maps.Clone(p.UserPoolTags); p.UserPoolTags == nil {
		p.UserPoolTags = make(map[string]string)
	}
	edit(p.UserPoolTags)
	if err := checkTags(p.UserPoolTags); err != nil {
		return EmptyOutput{}, err
	}
	d.put(KindPool, p.ID, p.ID, p)
	return EmptyOutput{}, nil
}

func (s *snapshot) listTagsForResource(in ListTagsForResourceInput) (ListTagsForResourceOutput, error) {
	p, err := s.taggedPool(in.ResourceARN)
	if err != nil {
		return ListTagsForResourceOutput{}, err
	}
	tags := make(map[string]string, len(p.UserPoolTags))
	maps.Copy(tags, p.UserPoolTags)
	return ListTagsForResourceOutput{tags}, nil
}

// taggedPool finds the pool of an ARN. Cognito: tags live on the pool only.
func (s *snapshot) taggedPool(arn string) (*pool, error) {
	id := arn[strings.LastIndexByte(arn, '/')+1:]
	if p := s.pools[id]; p != nil && s.place.poolARN(id) == arn {
		return p, nil
	}
	return nil, apiError(CodeResourceNotFound, "No resource has the ARN %s.", clip(arn))
}
