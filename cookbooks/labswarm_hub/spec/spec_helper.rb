require_relative '../../labswarm_base/spec/spec_helper'
