//! Names from arbitrary paths.

use proptest::prelude::*;
use redress_tonic::{default_operation, rpc_method_name, rpc_service_name};

#[test]
fn a_path_names_operation_service_and_method() {
    let rows = [
        ("/shop.v1.Orders/Get", "shop.v1.Orders/Get", Some("shop.v1.Orders"), Some("Get")),
        ("/Orders/Get", "Orders/Get", Some("Orders"), Some("Get")),
        ("/prefix/shop.v1.Orders/Get", "prefix/shop.v1.Orders/Get", Some("shop.v1.Orders"), Some("Get")),
        ("shop.v1.Orders/Get", "shop.v1.Orders/Get", Some("shop.v1.Orders"), Some("Get")),
        ("/Get", "Get", None, None),
        ("/shop.v1.Orders/", "shop.v1.Orders/", None, None),
        ("//Get", "/Get", None, None),
        ("/", "", None, None),
        ("", "", None, None),
        ("*", "*", None, None),
    ];
    for (path, operation, service, method) in rows {
        assert_eq!(default_operation(path), operation, "{path}");
        assert_eq!(rpc_service_name(path), service, "{path}");
        assert_eq!(rpc_method_name(path), method, "{path}");
    }
}

proptest! {
    #[test]
    fn service_and_method_come_together(path in ".*") {
        prop_assert_eq!(rpc_service_name(&path).is_some(), rpc_method_name(&path).is_some());
        if let (Some(service), Some(method)) = (rpc_service_name(&path), rpc_method_name(&path)) {
            let end = format!("{service}/{method}");
            prop_assert!(path.ends_with(&end));
        }
    }
}
