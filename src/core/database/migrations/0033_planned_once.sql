-- Half the time of a small batch went into planning the same look-ups anew: by their keys, whatever the keys are.
alter function lock_inbound(uuid[], text[], uuid[], uuid[], uuid[], text[], uuid[], text[], json, uuid[], text[], uuid[])
  set plan_cache_mode = 'force_generic_plan';
