use health_core::Health;
pub fn agent_check(_h: Health) {}
